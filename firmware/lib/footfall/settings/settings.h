// The settings of a counter: id, key, server, WiFi, and how its beams are wired.
//
//     /settings.txt   name=value lines; the last line is `check=` and the CRC-32 of all others
//
// Values are set as text, from the serial console, the set-up page or the file. settings_check.h checks them together.
// Nothing here allocates; Settings is plain bytes.
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
constexpr size_t kSettingsTextMax = 1024;  // more than the longest file

// The name of setting *index*, in the order of docs/hardware.md.
const char* setting_name(size_t index);

// Whether setting *index* is a key or a password, which is never shown.
bool setting_is_secret(size_t index);

// Sets one setting; an empty value restores its default. Returns nullptr, or a sentence that says why it failed.
const char* set_setting(Settings& settings, const char* name, const char* value);

// Writes the value of setting *index* as text and returns its length; 0 also if *capacity* is too small.
size_t render_setting(const Settings& settings, size_t index, char* text, size_t capacity);

// Writes the file and returns its length; 0 if *capacity* is too small.
size_t render_settings(const Settings& settings, char* text, size_t capacity);

// Reads a file that render_settings() wrote. False, with *settings* unchanged, if a byte is missing or altered.
bool parse_settings(const char* text, size_t length, Settings& settings);

}  // namespace footfall
