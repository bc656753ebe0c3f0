// Copy this file to ota_key.h and paste your public key (docs/hardware.md, "Updates over the air").
#pragma once

#include <pgmspace.h>

static const char kUpdateKey[] PROGMEM = R"KEY(
-----BEGIN PUBLIC KEY-----
...
-----END PUBLIC KEY-----
)KEY";
