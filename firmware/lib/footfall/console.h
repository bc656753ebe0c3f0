// The serial line's commands: letters in, whole commands out. What a command does is the application's business.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace footfall {

enum class CommandKind : uint8_t {
    kNone,     // no whole line yet, or an empty one
    kUnknown,  // told to the person, with `help`
    kHelp,
    kShow,
    kSet,         // name and value
    kSave,
    kCa,          // value: the whole certificate, PEM
    kCaNone,
    kStatus,
    kBeamsOn,
    kBeamsOff,
    kPortal,
    kRestart,
    kForgetSettings,
    kFormatQueue,     // asked for: it must be asked for a second time
    kFormatQueueYes,  // the second time, directly after the first
    kTooLong,
};

struct Command {
    CommandKind kind = CommandKind::kNone;
    const char* name = "";   // valid until the next letter
    const char* value = "";
};

// The page's text for `help`, a line each.
extern const char kHelpText[];

class Console {
   public:
    static constexpr size_t kLongest = 2560;  // a CA certificate in PEM with a key of RSA-4096

    // Take one letter; returns a command where it ended one.
    Command feed(char letter);

   private:
    Command end_line();
    Command parse_line();
    Command collect_certificate();

    char text_[kLongest];
    size_t length_ = 0;
    size_t line_ = 0;            // where the current line begins: more than 0 within a certificate
    bool too_long_ = false;
    bool in_certificate_ = false;
    bool format_asked_ = false;
};

}  // namespace footfall
