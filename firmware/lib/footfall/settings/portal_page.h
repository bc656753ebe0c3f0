// The page of the set-up network: a form with all settings, and each problem beside its field. No scripts.
#pragma once

#include "settings/settings_check.h"

namespace footfall {

// Receives the text: a socket on the board, a buffer on a PC.
class TextSink {
   public:
    virtual void write(const char* text, size_t length) = 0;

   protected:
    ~TextSink() = default;
};

// Writes the page. It never contains keys or passwords: their fields are empty, and an empty field keeps the value.
void render_portal_page(const Settings& settings, const SettingProblems& problems, TextSink& sink);

// Whether an empty field for setting *index* keeps the present value.
bool keeps_when_empty(size_t index);

}  // namespace footfall
