#include "serial_commands.h"

#include <Arduino.h>

#include "settings/settings_check.h"

#include "log.h"

using footfall::Command;
using footfall::CommandKind;

void SerialCommands::begin(const footfall::Settings& settings, bool has_ca) {
    draft_ = settings;
    has_ca_ = has_ca;
}

void SerialCommands::serve() {
    while (Serial.available() > 0) {
        const Command command = console_.feed(static_cast<char>(Serial.read()));
        if (command.kind != CommandKind::kNone) {
            execute(command);
        }
    }
}

void SerialCommands::execute(const Command& command) {
    switch (command.kind) {
        case CommandKind::kNone:
            return;
        case CommandKind::kUnknown:
            Serial.println("Unknown command; help lists all commands.");
            return;
        case CommandKind::kTooLong:
            Serial.println("Line too long; ignored.");
            return;
        case CommandKind::kHelp:
            Serial.print(footfall::kHelpText);
            return;
        case CommandKind::kShow:
            return show();
        case CommandKind::kSet:
            return set(command);
        case CommandKind::kSave:
            return save();
        case CommandKind::kCaLine:
            return add_ca_line(command.value, false);
        case CommandKind::kCaEnd:
            return add_ca_line(command.value, true);
        case CommandKind::kCaNone:
            return remove_ca();
        case CommandKind::kStatus:
            return controls_.print_status();
        case CommandKind::kBeamsOn:
            return controls_.print_beams(true);
        case CommandKind::kBeamsOff:
            return controls_.print_beams(false);
        case CommandKind::kPortal:
            return portal_.open(draft_, has_ca_, false);
        case CommandKind::kForgetSettings:
            store_.forget();
            log_line("settings deleted; restarting");
            ESP.restart();
            return;
        case CommandKind::kRestart:
            ESP.restart();
            return;
        case CommandKind::kFormatQueue:
            Serial.println("This deletes all undelivered crossings. Type format queue again to confirm.");
            return;
        case CommandKind::kFormatQueueYes:
            return format_queue();
    }
}

void SerialCommands::show() {
    for (size_t index = 0; index < footfall::kSettingCount; ++index) {
        char value[160];
        const size_t length = footfall::render_setting(draft_, index, value, sizeof value);
        const bool secret = footfall::setting_is_secret(index);
        Serial.printf("%-15s  %s\n", footfall::setting_name(index),
                      !secret ? value : length > 0 ? "(set)" : "(not set)");
    }
    Serial.printf("%-15s  %s\n", "ca", has_ca_ ? "(set)" : "(not set)");
}

void SerialCommands::set(const Command& command) {
    const char* refused = footfall::set_setting(draft_, command.name, command.value);
    if (refused != nullptr) {
        Serial.printf("%s: %s\n", command.name, refused);
    } else {
        Serial.printf("%s changed; type save to keep it.\n", command.name);
    }
}

void SerialCommands::save() {
    const footfall::SettingProblems problems = footfall::check_settings(draft_, has_ca_);
    for (size_t at = 0; at < problems.count; ++at) {
        Serial.printf("%s: %s\n", problems.problems[at].name, problems.problems[at].sentence);
    }
    if (problems.count > 0) {
        Serial.println("Not saved.");
    } else if (!store_.save(draft_)) {
        log_line("error: settings not saved: the flash memory failed; replace the board");
    } else {
        log_line("settings saved; restarting");
        ESP.restart();
    }
}

void SerialCommands::add_ca_line(const char* line, bool last) {
    const bool kept = store_.add_ca_line(line, !in_ca_, last);
    in_ca_ = !last;
    if (!kept) {
        log_line("error: certificate not saved: the flash memory failed");
    } else if (last) {
        has_ca_ = true;
        Serial.println("Certificate saved; it takes effect after a restart.");
    }
}

void SerialCommands::remove_ca() {
    has_ca_ = !store_.remove_ca();
    Serial.println(has_ca_ ? "Certificate not removed: the flash memory failed." : "Certificate removed.");
}

void SerialCommands::format_queue() {
    log_line(controls_.format_queue() ? "queue formatted; restarting"
                                      : "error: queue not formatted: the flash memory failed");
    ESP.restart();
}
