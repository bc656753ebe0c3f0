// Settings and CA certificate in LittleFS. Each is written to a new file and renamed, so a power cut leaves the old one
// or the new one, never half of it.
#pragma once

#include <Arduino.h>

#include "settings/settings.h"

class SettingsStore {
   public:
    // Mounts the file system; formats it if mounting fails. False if the flash failed.
    bool begin();

    // Returns the saved settings, or defaults if there are none or they are damaged. Makes a set-up password if needed.
    footfall::Settings load();

    // False if writing failed; the old settings stay.
    bool save(const footfall::Settings& settings);

    // Returns the CA certificate in PEM form, or an empty string.
    String load_ca();
    // Adds one line of a new certificate, which replaces the stored one after its *last* line.
    bool add_ca_line(const char* line, bool first, bool last);
    bool remove_ca();

    void forget();
};
