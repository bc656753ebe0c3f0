// What a counter is told at its set-up: its name and key, the server, the WiFi, how its beams are wired.
//
//     /settings.txt   name=value lines, the last one `check=` and a CRC-32 of all before it
//
// A value is set by text, as it comes from the serial line, the set-up page or the file; everything is checked at once
// and told in whole sentences. Nothing here allocates; a Settings is plain bytes.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace footfall {

struct Settings {
    char counter[65] = "";
    char key[97] = "";
    char url[129] = "";
    char ssid[33] = "";
    char wifi_password[64] = "";
    char fingerprint[41] = "";
    char ntp[65] = "pool.ntp.org";
    char setup_password[64] = "";
    uint16_t spacing_mm = 100;
    uint8_t outer_pin = 5;
    uint8_t inner_pin = 4;
    bool blocked_high = false;
    bool swap = false;
};

constexpr size_t kSettingCount = 13;
constexpr size_t kSettingsTextMax = 1024;  // the longest file render_settings makes, with room to spare

// The name of setting *index*, in the order of the documentation.
const char* setting_name(size_t index);

// Whether setting *index* is a key or a password, whose value is never shown.
bool setting_is_secret(size_t index);

// Set one setting from text; an empty value means its default. Returns nullptr, or why not, in a sentence.
const char* set_setting(Settings& settings, const char* name, const char* value);

// Write the value of setting *index* as text; returns its length, 0 also where *capacity* is too small.
size_t render_setting(const Settings& settings, size_t index, char* text, size_t capacity);

struct SettingProblem {
    const char* name;
    const char* sentence;
};

struct SettingProblems {
    SettingProblem problems[kSettingCount * 2];
    size_t count = 0;
};

// Everything that keeps a counter from working with these settings; none: count is 0. *has_ca*: a CA certificate is kept.
SettingProblems check_settings(const Settings& settings, bool has_ca);

// Write the file; returns its length, or 0 where *capacity* is too small.
size_t render_settings(const Settings& settings, char* text, size_t capacity);

// Read a file that render_settings wrote. False, with the settings untouched, where a byte is missing or changed.
bool parse_settings(const char* text, size_t length, Settings& settings);

}  // namespace footfall
