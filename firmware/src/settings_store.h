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
    // Keep a certificate; empty text removes it.
    bool save_ca(const char* pem);

    void forget();
};
