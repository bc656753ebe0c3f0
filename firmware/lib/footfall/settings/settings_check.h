// Checks the settings as a whole and reports every problem at once.
#pragma once

#include "settings/settings.h"

namespace footfall {

struct SettingProblem {
    const char* name;
    const char* sentence;
};

struct SettingProblems {
    SettingProblem problems[kSettingCount * 2];
    size_t count = 0;
};

// Returns every problem that keeps a counter with these settings from working. *has_ca*: a CA certificate is stored.
SettingProblems check_settings(const Settings& settings, bool has_ca);

// Returns why a beam cannot use this GPIO of an ESP8266, as a sentence; nullptr if it can.
const char* refused_pin(int gpio);

}  // namespace footfall
