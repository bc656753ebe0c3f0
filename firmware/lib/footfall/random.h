// Where random numbers come from: the radio's noise on the board (os_random), the system's on a PC.
#pragma once

#include <stdint.h>

namespace footfall {

class RandomSource {
   public:
    virtual uint32_t next() = 0;

   protected:
    ~RandomSource() = default;
};

}  // namespace footfall
