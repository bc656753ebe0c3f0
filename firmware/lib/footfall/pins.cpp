#include "pins.h"

namespace footfall {

// Boot straps: Espressif, esptool documentation, "Boot Mode Selection" for the ESP8266. GPIO16 belongs to the clock's
// domain and raises no interrupt: ESP8266 Arduino core 3.1.2, reference, "Digital IO".
const char* refused_pin(int gpio) {
    switch (gpio) {
        case 0:
            return "GPIO0 (D3) decides at power-up whether the program starts: a sensor that sees somebody would stop it.";
        case 1:
        case 3:
            return "GPIO1 and GPIO3 are the serial line.";
        case 2:
            return "GPIO2 (D4) must be high at power-up and carries the status LED.";
        case 6:
        case 7:
        case 8:
        case 9:
        case 10:
        case 11:
            return "GPIO6 to GPIO11 belong to the flash memory.";
        case 15:
            return "GPIO15 (D8) must be low at power-up: a sensor that idles high would stop the start.";
        case 16:
            return "GPIO16 (D0) has no interrupt: edges would be missed.";
        case 4:
        case 5:
        case 12:
        case 13:
        case 14:
            return nullptr;
        default:
            return "The ESP8266 has no such pin.";
    }
}

}  // namespace footfall
