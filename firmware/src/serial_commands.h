// Executes the commands of the serial console.
#pragma once

#include "device/console.h"
#include "settings/settings.h"

#include "portal.h"
#include "settings_store.h"

// The commands that concern counting; each is a function of main.cpp.
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

    // Reads the serial line and executes complete commands.
    void serve();

   private:
    void execute(const footfall::Command& command);
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
    bool in_ca_ = false;  // reading a pasted certificate
};
