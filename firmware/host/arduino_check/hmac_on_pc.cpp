// BearSSL's HMAC calls for the board on a PC, implemented with posix_hmac.h. One HMAC at a time, as on the board.

#include <bearssl/bearssl_hmac.h>
#include <string.h>

#include <string>

#include "posix_hmac.h"

namespace {
std::string message;
}

struct br_hash_class_ {};
extern "C" {
const br_hash_class br_sha256_vtable = {};

// Stores the key itself instead of the padded keys: its bytes in ksi, its size, at most 64, in kso[0].
void br_hmac_key_init(br_hmac_key_context* prepared, const br_hash_class*, const void* key, size_t size) {
    memcpy(prepared->ksi, key, size);
    prepared->kso[0] = static_cast<unsigned char>(size);
}

void br_hmac_init(br_hmac_context* context, const br_hmac_key_context* prepared, size_t) {
    memcpy(context->dig, prepared->ksi, 64);
    context->kso[0] = prepared->kso[0];
    message.clear();
}

void br_hmac_update(br_hmac_context*, const void* data, size_t size) {
    message.append(static_cast<const char*>(data), size);
}

size_t br_hmac_out(const br_hmac_context* context, void* out) {
    const footfall::Piece whole = {message.data(), message.size()};
    posix_hmac(context->dig, context->kso[0], &whole, 1, static_cast<uint8_t*>(out));
    return footfall::kMacBytes;
}
}
