// What the two halves of the board on a PC tell each other.
#pragma once

#include <Arduino.h>

// Do what an order about the network says.
void obey_network(const std::string& line);
