// Standard Webhooks 1.0: the signature covers "id.timestamp.body" and reads "v1," plus base64.
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

// HMAC-SHA256 (RFC 2104, RFC 6234) over *count* pieces in order: BearSSL on the board, host/posix_hmac.h on a PC.
using HmacSha256 = void (*)(const uint8_t* key, size_t key_size, const Piece* pieces, size_t count,
                            uint8_t mac[kMacBytes]);

struct SigningKey {
    uint8_t bytes[kLongestKey];
    size_t size;
};

// Parses "whsec_" plus the base64 of 24 to 64 bytes, with or without padding. False for anything else.
bool parse_key(const char* text, SigningKey& key);

// Writes the value of the header webhook-signature.
void sign(HmacSha256 hmac, const SigningKey& key, const char* id, const char* timestamp, const char* body,
          size_t body_size, char into[kSignatureBytes]);

// Writes the base64 (RFC 4648, section 4) of *size* bytes and a zero byte: 4 * ((size + 2) / 3) + 1 bytes.
void encode_base64(const uint8_t* bytes, size_t size, char* into);

// Decodes base64, with or without padding. Returns the number of bytes; 0 if it is not base64 or exceeds *capacity*.
size_t decode_base64(const char* text, uint8_t* into, size_t capacity);

}  // namespace footfall
