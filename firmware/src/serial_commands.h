// Does what the serial line's commands say. What concerns counting is asked of the counter.
#pragma once

#include <console.h>
#include <settings.h>

#include "portal.h"
#include "settings_store.h"

// What a command may ask of the counter; each is a plain function of main.cpp.
struct CounterControls {
    void (*print_status)();
    void (*print_beams)(bool on);
    bool (*format_queue)();
};

class SerialCommands {
   public:
    SerialCommands(SettingsStore& store, Portal& portal, const CounterControls& controls)
        : store_(store), portal_(portal), controls_(controls) {}

    void begin(const footfall::Settings& settings, bool has_ca);

    // Read what was typed, and do it.
    void serve();

   private:
    void carry_out(const footfall::Command& command);
    void show();
    void set(const footfall::Command& command);
    void save();
    void add_ca_line(const char* line, bool last);
    void remove_ca();
    void format_queue();

    SettingsStore& store_;
    Portal& portal_;
    CounterControls controls_;
    footfall::Console console_;
    footfall::Settings draft_;
    bool has_ca_ = false;
    bool in_ca_ = false;  // a certificate is being pasted
};
