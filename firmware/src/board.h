// What the boards have in common, and the application's own constants.
#pragma once

#include <Arduino.h>

constexpr char kFirmwareVersion[] = "0.1.0";

constexpr uint8_t kLedPin = 2;     // on a NodeMCU v2 and a D1 mini: blue, lit when low
constexpr uint8_t kButtonPin = 0;  // FLASH on a NodeMCU; a strap at power-up, a plain input afterwards
constexpr uint32_t kSerialBaud = 115200;

// A loop that has not come round for so long is stuck in a library: the board starts afresh. The longest request takes
// some 20 s, formatting the queue some 15 s.
constexpr uint32_t kStuckMs = 3 * 60'000;

// What the set-up network and the board's host name are called.
String board_name();
