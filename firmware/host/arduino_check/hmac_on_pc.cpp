// BearSSL's HMAC-SHA256 calls for the board on a PC: SHA-256 of FIPS 180-4, HMAC of RFC 2104. What the board signs is
// verified by a real ingest, so a mistake here cannot stay unseen.

#include <bearssl/bearssl_hmac.h>
#include <string.h>

#include <array>
#include <string>

namespace {

using Digest = std::array<uint8_t, 32>;

constexpr uint32_t kRounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

uint32_t turned(uint32_t word, int bits) { return word >> bits | word << (32 - bits); }

void add_block(uint32_t state[8], const uint8_t* block) {
    uint32_t words[64];
    for (int at = 0; at < 16; ++at) {
        words[at] = static_cast<uint32_t>(block[4 * at] << 24 | block[4 * at + 1] << 16 | block[4 * at + 2] << 8 |
                                          block[4 * at + 3]);
    }
    for (int at = 16; at < 64; ++at) {
        const uint32_t s0 = turned(words[at - 15], 7) ^ turned(words[at - 15], 18) ^ words[at - 15] >> 3;
        const uint32_t s1 = turned(words[at - 2], 17) ^ turned(words[at - 2], 19) ^ words[at - 2] >> 10;
        words[at] = words[at - 16] + s0 + words[at - 7] + s1;
    }
    uint32_t v[8];
    memcpy(v, state, sizeof v);
    for (int at = 0; at < 64; ++at) {
        const uint32_t s1 = turned(v[4], 6) ^ turned(v[4], 11) ^ turned(v[4], 25);
        const uint32_t first = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + kRounds[at] + words[at];
        const uint32_t s0 = turned(v[0], 2) ^ turned(v[0], 13) ^ turned(v[0], 22);
        const uint32_t second = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += first;
        v[0] = first + second;
    }
    for (int at = 0; at < 8; ++at) {
        state[at] += v[at];
    }
}

Digest sha256(std::string text) {
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    const uint64_t bits = text.size() * 8;
    text += '\x80';
    text.append((120 - text.size() % 64) % 64, '\0');
    for (int shift = 56; shift >= 0; shift -= 8) {
        text += static_cast<char>(bits >> shift);
    }
    for (size_t at = 0; at < text.size(); at += 64) {
        add_block(state, reinterpret_cast<const uint8_t*>(text.data()) + at);
    }
    Digest digest;
    for (size_t at = 0; at < digest.size(); ++at) {
        digest[at] = static_cast<uint8_t>(state[at / 4] >> (24 - 8 * (at % 4)));
    }
    return digest;
}

std::string as_text(const Digest& digest) { return std::string(digest.begin(), digest.end()); }

std::string message;  // one HMAC at a time, as on the board

}  // namespace

struct br_hash_class_ {};
extern "C" {
const br_hash_class br_sha256_vtable = {};

void br_hmac_key_init(br_hmac_key_context* prepared, const br_hash_class*, const void* key, size_t size) {
    std::string padded(static_cast<const char*>(key), size);
    if (padded.size() > 64) {
        padded = as_text(sha256(padded));
    }
    padded.resize(64, '\0');
    for (size_t at = 0; at < 64; ++at) {
        prepared->ksi[at] = static_cast<unsigned char>(padded[at] ^ 0x36);
        prepared->kso[at] = static_cast<unsigned char>(padded[at] ^ 0x5C);
    }
}

void br_hmac_init(br_hmac_context* context, const br_hmac_key_context* prepared, size_t) {
    message.assign(reinterpret_cast<const char*>(prepared->ksi), 64);
    memcpy(context->kso, prepared->kso, 64);
}

void br_hmac_update(br_hmac_context*, const void* data, size_t size) {
    message.append(static_cast<const char*>(data), size);
}

size_t br_hmac_out(const br_hmac_context* context, void* out) {
    const std::string outer(reinterpret_cast<const char*>(context->kso), 64);
    const Digest mac = sha256(outer + as_text(sha256(message)));
    memcpy(out, mac.data(), mac.size());
    return mac.size();
}
}
