// The board's random numbers and HMAC-SHA256, for the core.
#pragma once

#include "device/ports.h"
#include "sending/signature.h"

// Uses the radio's noise.
class BoardRandom : public footfall::RandomSource {
   public:
    uint32_t next() override;
};

// BearSSL's HMAC-SHA256.
void board_hmac(const uint8_t* key, size_t key_size, const footfall::Piece* pieces, size_t count,
                uint8_t mac[footfall::kMacBytes]);
