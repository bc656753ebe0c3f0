#include "device/console.h"

#include <string.h>

namespace footfall {

const char kHelpText[] =
    "help              list the commands\n"
    "show              show all settings; keys and passwords only as set or not set\n"
    "set NAME VALUE    change a setting; without a value, restore its default\n"
    "save              check all settings; save and restart, or print the problems\n"
    "ca                paste a CA certificate in PEM form; ca none removes it\n"
    "status            show the clock, the queue, the beams, memory and WiFi\n"
    "beams on          print every change of a beam; beams off stops this\n"
    "portal            open the set-up network\n"
    "restart           restart; keeps the queue\n"
    "forget settings   delete the settings and restart; keeps the queue\n"
    "format queue      delete all undelivered crossings; asks for confirmation\n";

namespace {

struct Word {
    const char* line;
    CommandKind kind;
};

constexpr Word kWords[] = {
    {"help", CommandKind::kHelp},
    {"show", CommandKind::kShow},
    {"save", CommandKind::kSave},
    {"ca none", CommandKind::kCaNone},
    {"status", CommandKind::kStatus},
    {"beams on", CommandKind::kBeamsOn},
    {"beams off", CommandKind::kBeamsOff},
    {"portal", CommandKind::kPortal},
    {"restart", CommandKind::kRestart},
    {"forget settings", CommandKind::kForgetSettings},
};

constexpr char kEndOfCertificate[] = "-----END CERTIFICATE-----";

Command of_kind(CommandKind kind) {
    Command command;
    command.kind = kind;
    return command;
}

}  // namespace

Command Console::feed(char letter) {
    if (letter == '\b' || letter == 0x7F) {
        if (length_ > 0) {
            --length_;
        }
        return Command();
    }
    if (letter == '\r' || letter == '\n') {
        return end_line();
    }
    if (length_ + 2 >= kLongest) {
        too_long_ = true;
    } else {
        text_[length_++] = letter;
    }
    return Command();
}

Command Console::end_line() {
    if (too_long_) {
        too_long_ = in_certificate_ = false;
        length_ = 0;
        return of_kind(CommandKind::kTooLong);
    }
    text_[length_] = '\0';
    while (length_ > 0 && text_[length_ - 1] == ' ') {
        text_[--length_] = '\0';
    }
    Command command;
    if (length_ > 0) {
        command = in_certificate_ ? parse_certificate_line() : parse_line();
    }
    length_ = 0;
    return command;
}

Command Console::parse_line() {
    const bool format_asked = format_asked_;
    format_asked_ = false;
    for (const Word& word : kWords) {
        if (strcmp(text_, word.line) == 0) {
            return of_kind(word.kind);
        }
    }
    if (strcmp(text_, "format queue") == 0) {
        format_asked_ = !format_asked;
        return of_kind(format_asked ? CommandKind::kFormatQueueYes : CommandKind::kFormatQueue);
    }
    if (strcmp(text_, "ca") == 0) {
        in_certificate_ = true;
        return Command();
    }
    if (strncmp(text_, "set ", 4) != 0) {
        return of_kind(CommandKind::kUnknown);
    }
    Command command = of_kind(CommandKind::kSet);
    command.name = text_ + 4;
    char* space = strchr(text_ + 4, ' ');
    if (space != nullptr) {
        *space = '\0';
        command.value = space + 1;  // as typed: a password may begin with a space or contain some
    }
    return command;
}

Command Console::parse_certificate_line() {
    in_certificate_ = strcmp(text_, kEndOfCertificate) != 0;
    Command command = of_kind(in_certificate_ ? CommandKind::kCaLine : CommandKind::kCaEnd);
    command.value = text_;
    return command;
}

}  // namespace footfall
