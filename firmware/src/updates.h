// Updates over the air: only if a public key is compiled in, and only firmware signed with its private key.
#pragma once

#include "settings/settings.h"

// Starts listening, with the set-up network's password. Does nothing without a key.
void begin_updates(const footfall::Settings& settings);

// Receives an update if one is offered, and restarts the board after a valid one.
void serve_updates();
