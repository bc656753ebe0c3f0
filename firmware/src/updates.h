// Updates over the air: only with a public key compiled in, and only firmware signed with its private key.
#pragma once

#include <settings.h>

// Listen for updates; their password is the set-up network's. Without a key: nothing.
void begin_updates(const footfall::Settings& settings);

// Take an update if somebody sends one. Restarts the board after a good one.
void serve_updates();
