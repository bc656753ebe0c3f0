// Settings and CA certificate in LittleFS, each written beside and renamed: the old or the new, never half.
#pragma once

#include <Arduino.h>
#include <settings.h>

class SettingsStore {
   public:
    // Mount the file system, formatting it where it cannot be mounted. False where the flash fails.
    bool begin();

    // What is kept, or defaults where nothing is or it was damaged. A set-up password is made where there is none.
    footfall::Settings load();

    // False where it could not be written; the old ones stay.
    bool save(const footfall::Settings& settings);

    // The CA certificate in PEM form, empty where there is none.
    String load_ca();
    // Take one line of a certificate beside the kept one, from the *first* on; the *last* one puts it in its place.
    bool add_ca_line(const char* line, bool first, bool last);
    bool remove_ca();

    void forget();
};
