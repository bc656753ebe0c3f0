// Parses the commands of the serial console: characters in, commands out. The application executes them.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace footfall {

enum class CommandKind : uint8_t {
    kNone,  // the line is incomplete or empty
    kUnknown,
    kHelp,
    kShow,
    kSet,         // name and value
    kSave,
    kCaLine,  // value: one line of a pasted certificate
    kCaEnd,   // value: its last line
    kCaNone,
    kStatus,
    kBeamsOn,
    kBeamsOff,
    kPortal,
    kRestart,
    kForgetSettings,
    kFormatQueue,     // the first request, which asks for confirmation
    kFormatQueueYes,  // the same command right after it
    kTooLong,
};

struct Command {
    CommandKind kind = CommandKind::kNone;
    const char* name = "";  // valid until the next character
    const char* value = "";
};

// The output of `help`, one line per command.
extern const char kHelpText[];

class Console {
   public:
    static constexpr size_t kLongest = 256;  // `set url ` and 128 characters; a line of PEM has 64

    // Takes one character. Returns the command that it completes, if any.
    Command feed(char letter);

   private:
    Command end_line();
    Command parse_line();
    Command parse_certificate_line();

    char text_[kLongest];
    size_t length_ = 0;
    bool too_long_ = false;
    bool in_certificate_ = false;
    bool format_asked_ = false;
};

}  // namespace footfall
