// The FLASH button, held: the only sign a person can give a counter without a cable.
#pragma once

#include <stdint.h>

namespace footfall {

class Button {
   public:
    static constexpr uint32_t kHoldMs = 3'000;  // longer than a knock or a bounce

    // True once for each time the button has been held for kHoldMs.
    bool update(bool down, uint32_t now_ms) {
        if (!down) {
            down_ = false;
            return false;
        }
        if (!down_) {
            down_ = true;
            told_ = false;
            since_ms_ = now_ms;
        }
        if (told_ || now_ms - since_ms_ < kHoldMs) {
            return false;
        }
        told_ = true;
        return true;
    }

   private:
    bool down_ = false;
    bool told_ = false;
    uint32_t since_ms_ = 0;
};

}  // namespace footfall
