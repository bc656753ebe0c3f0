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
    kCaLine,      // value: one line of a certificate that is pasted; the first one begins it
    kCaEnd,       // value: its last line: it is whole
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
    static constexpr size_t kLongest = 256;  // `set url ` and 128 letters; a line of PEM has 64

    // Take one letter; returns a command where it ended one.
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
