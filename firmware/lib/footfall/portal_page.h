// The page of the set-up network: a form of the settings, without a script, with every problem told beside its field.
#pragma once

#include "settings.h"

namespace footfall {

// Where text goes: a socket on the board, a buffer on the PC.
class TextSink {
   public:
    virtual void write(const char* text, size_t length) = 0;

   protected:
    ~TextSink() = default;
};

// Write the page. Keys and passwords are never in it: their fields are empty, and empty means "as it is".
void render_portal_page(const Settings& settings, const SettingProblems& problems, TextSink& sink);

// Whether a form's empty value for setting *index* means to keep what is set.
bool keeps_when_empty(size_t index);

}  // namespace footfall
