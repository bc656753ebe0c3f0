#include "board_services.h"

#include <Arduino.h>
#include <bearssl/bearssl_hmac.h>

uint32_t BoardRandom::next() { return ESP.random(); }

void board_hmac(const uint8_t* key, size_t key_size, const footfall::Piece* pieces, size_t count,
                uint8_t mac[footfall::kMacBytes]) {
    br_hmac_key_context prepared;
    br_hmac_key_init(&prepared, &br_sha256_vtable, key, key_size);
    br_hmac_context context;
    br_hmac_init(&context, &prepared, footfall::kMacBytes);
    for (size_t at = 0; at < count; ++at) {
        br_hmac_update(&context, pieces[at].bytes, pieces[at].size);
    }
    br_hmac_out(&context, mac);
}
