#include "sending/signature.h"

#include <string.h>

namespace footfall {

static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void encode_base64(const uint8_t* bytes, size_t size, char* into) {
    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const uint32_t group = static_cast<uint32_t>(bytes[i]) << 16 |
                               static_cast<uint32_t>(left > 1 ? bytes[i + 1] : 0) << 8 |
                               static_cast<uint32_t>(left > 2 ? bytes[i + 2] : 0);
        *into++ = kAlphabet[group >> 18];
        *into++ = kAlphabet[group >> 12 & 63];
        *into++ = left > 1 ? kAlphabet[group >> 6 & 63] : '=';
        *into++ = left > 2 ? kAlphabet[group & 63] : '=';
    }
    *into = 0;
}

size_t decode_base64(const char* text, uint8_t* into, size_t capacity) {
    uint32_t bits = 0;
    unsigned held = 0;
    size_t size = 0;
    size_t count = 0;
    for (; *text && *text != '='; text++, count++) {
        const char* found = strchr(kAlphabet, *text);
        if (found == nullptr) {
            return 0;
        }
        bits = bits << 6 | static_cast<uint32_t>(found - kAlphabet);
        held += 6;
        if (held >= 8) {
            held -= 8;
            if (size == capacity) {
                return 0;
            }
            into[size++] = static_cast<uint8_t>(bits >> held);
        }
    }
    size_t padding = 0;
    while (*text == '=') {
        text++;
        padding++;
    }
    const bool is_whole = count % 4 != 1 && (padding == 0 || (count + padding) % 4 == 0) && padding < 3;
    return *text == 0 && is_whole ? size : 0;
}

bool parse_key(const char* text, SigningKey& key) {
    constexpr char kPrefix[] = "whsec_";
    if (strncmp(text, kPrefix, sizeof kPrefix - 1) != 0) {
        return false;
    }
    key.size = decode_base64(text + sizeof kPrefix - 1, key.bytes, sizeof key.bytes);
    return key.size >= kShortestKey;
}

void sign(HmacSha256 hmac, const SigningKey& key, const char* id, const char* timestamp, const char* body,
          size_t body_size, char into[kSignatureBytes]) {
    const Piece pieces[] = {{id, strlen(id)}, {".", 1}, {timestamp, strlen(timestamp)}, {".", 1}, {body, body_size}};
    uint8_t mac[kMacBytes];
    hmac(key.bytes, key.size, pieces, sizeof pieces / sizeof *pieces, mac);
    memcpy(into, "v1,", 3);
    encode_base64(mac, sizeof mac, into + 3);
}

}  // namespace footfall
