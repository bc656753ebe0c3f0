// Constants of the boards and of the application.
#pragma once

#include <Arduino.h>

constexpr char kFirmwareVersion[] = "0.1.0";

constexpr uint8_t kLedPin = 2;     // on a NodeMCU v2 and a D1 mini: blue, lit when low
constexpr uint8_t kButtonPin = 0;  // FLASH on a NodeMCU: a boot strap at power-up, an input afterwards
constexpr uint32_t kSerialBaud = 115200;

// A loop that makes no progress for this long is stuck in a library, and the board restarts. The longest request takes
// about 20 s, formatting the queue about 15 s.
constexpr uint32_t kStuckMs = 3 * 60'000;

// The name of the set-up network, and the board's host name.
String board_name();
