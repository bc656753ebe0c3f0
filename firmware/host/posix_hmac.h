// HMAC-SHA256 (FIPS 180-4, RFC 2104) for machines without BearSSL.
#pragma once

#include "sending/signature.h"

void posix_hmac(const uint8_t* key, size_t key_size, const footfall::Piece* pieces, size_t count,
                uint8_t mac[footfall::kMacBytes]);
