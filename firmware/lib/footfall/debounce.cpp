#include "debounce.h"

namespace footfall {

void Debounce::start(bool interrupted) {
    raw_ = interrupted;
    stable_ = interrupted;
}

void Debounce::set(bool interrupted, int64_t at_us) {
    if (interrupted != raw_) {
        raw_ = interrupted;
        since_us_ = at_us;
    }
}

}  // namespace footfall
