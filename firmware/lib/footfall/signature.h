// Standard Webhooks 1.0: what is signed is id, full stop, timestamp, full stop, body; the result is "v1," and base64.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace footfall {

struct Piece {
    const void* bytes;
    size_t size;
};

constexpr size_t kMacBytes = 32;
constexpr size_t kLongestKey = 64;
constexpr size_t kShortestKey = 24;
constexpr size_t kSignatureBytes = 3 + 44 + 1;  // "v1,", base64 of 32 bytes, and the end

// HMAC-SHA256 (RFC 2104, RFC 6234) of *count* pieces one after the other: BearSSL on the board, posix_hmac on a PC.
using HmacSha256 = void (*)(const uint8_t* key, size_t key_size, const Piece* pieces, size_t count,
                            uint8_t mac[kMacBytes]);

struct SigningKey {
    uint8_t bytes[kLongestKey];
    size_t size;
};

// Reads "whsec_" and base64 of 24 to 64 bytes. False for anything else.
bool parse_key(const char* text, SigningKey& key);

// Writes the value of the header webhook-signature.
void sign(HmacSha256 hmac, const SigningKey& key, const char* id, const char* timestamp, const char* body,
          size_t body_size, char into[kSignatureBytes]);

// Writes base64 (RFC 4648, section 4) of *size* bytes and a zero byte; *into* has room for 4 * ((size + 2) / 3) + 1.
void encode_base64(const uint8_t* bytes, size_t size, char* into);

// Reads base64, with its padding or without. Returns the number of bytes; 0 where it is none or exceeds *capacity*.
size_t decode_base64(const char* text, uint8_t* into, size_t capacity);

}  // namespace footfall
