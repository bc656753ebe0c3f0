// Which GPIO of an ESP8266 may carry a beam, and in a sentence why another may not.
#pragma once

namespace footfall {

// The reason why a beam may not be on this GPIO, a whole sentence; nullptr where it may.
const char* refused_pin(int gpio);

}  // namespace footfall
