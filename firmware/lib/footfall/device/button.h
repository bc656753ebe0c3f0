// The FLASH button: holding it opens the set-up network, without a cable.
#pragma once

#include <stdint.h>

namespace footfall {

class Button {
   public:
    static constexpr uint32_t kHoldMs = 3'000;  // longer than a knock or a bounce

    // True once per press, when the button has been held for kHoldMs.
    bool update(bool down, uint32_t now_ms) {
        if (!down) {
            down_ = false;
            return false;
        }
        if (!down_) {
            down_ = true;
            fired_ = false;
            since_ms_ = now_ms;
        }
        if (fired_ || now_ms - since_ms_ < kHoldMs) {
            return false;
        }
        fired_ = true;
        return true;
    }

   private:
    bool down_ = false;
    bool fired_ = false;
    uint32_t since_ms_ = 0;
};

}  // namespace footfall
