// Shared by the two halves of the board on a PC.
#pragma once

#include <Arduino.h>

// Executes an order about the network.
void obey_network(const std::string& line);
