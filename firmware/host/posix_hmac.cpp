#include "posix_hmac.h"

#include <string.h>

namespace {

constexpr size_t kBlock = 64;

// FIPS 180-4, section 4.2.2.
constexpr uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

uint32_t rotated(uint32_t word, unsigned by) { return word >> by | word << (32 - by); }

class Sha256 {
   public:
    void add(const void* bytes, size_t size) {
        const uint8_t* at = static_cast<const uint8_t*>(bytes);
        for (size_t i = 0; i < size; i++) {
            block_[size_++ % kBlock] = at[i];
            if (size_ % kBlock == 0) {
                mix();
            }
        }
    }

    void finish(uint8_t digest[32]) {
        const uint64_t bits = size_ * 8;
        const uint8_t end = 0x80;
        const uint8_t zero = 0;
        add(&end, 1);
        while (size_ % kBlock != kBlock - 8) {
            add(&zero, 1);
        }
        uint8_t length[8];
        for (unsigned i = 0; i < 8; i++) {
            length[i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
        }
        add(length, sizeof length);
        for (unsigned i = 0; i < 32; i++) {
            digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
        }
    }

   private:
    void mix() {
        uint32_t word[64];
        for (unsigned i = 0; i < 16; i++) {
            word[i] = static_cast<uint32_t>(block_[4 * i]) << 24 | static_cast<uint32_t>(block_[4 * i + 1]) << 16 |
                      static_cast<uint32_t>(block_[4 * i + 2]) << 8 | block_[4 * i + 3];
        }
        for (unsigned i = 16; i < 64; i++) {
            const uint32_t low = rotated(word[i - 15], 7) ^ rotated(word[i - 15], 18) ^ word[i - 15] >> 3;
            const uint32_t high = rotated(word[i - 2], 17) ^ rotated(word[i - 2], 19) ^ word[i - 2] >> 10;
            word[i] = word[i - 16] + low + word[i - 7] + high;
        }
        uint32_t s[8];
        memcpy(s, state_, sizeof s);
        for (unsigned i = 0; i < 64; i++) {
            const uint32_t high = rotated(s[4], 6) ^ rotated(s[4], 11) ^ rotated(s[4], 25);
            const uint32_t first = s[7] + high + ((s[4] & s[5]) ^ (~s[4] & s[6])) + kRound[i] + word[i];
            const uint32_t low = rotated(s[0], 2) ^ rotated(s[0], 13) ^ rotated(s[0], 22);
            const uint32_t second = low + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
            memmove(s + 1, s, 7 * sizeof *s);
            s[4] += first;
            s[0] = first + second;
        }
        for (unsigned i = 0; i < 8; i++) {
            state_[i] += s[i];
        }
    }

    uint32_t state_[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint8_t block_[kBlock] = {};
    uint64_t size_ = 0;
};

}  // namespace

void posix_hmac(const uint8_t* key, size_t key_size, const footfall::Piece* pieces, size_t count,
                uint8_t mac[footfall::kMacBytes]) {
    uint8_t block[kBlock] = {};
    if (key_size > kBlock) {
        Sha256 shortened;
        shortened.add(key, key_size);
        shortened.finish(block);
    } else {
        memcpy(block, key, key_size);
    }
    uint8_t inner_key[kBlock];
    uint8_t outer_key[kBlock];
    for (size_t i = 0; i < kBlock; i++) {
        inner_key[i] = block[i] ^ 0x36;
        outer_key[i] = block[i] ^ 0x5c;
    }
    Sha256 inner;
    inner.add(inner_key, kBlock);
    for (size_t i = 0; i < count; i++) {
        inner.add(pieces[i].bytes, pieces[i].size);
    }
    uint8_t digest[32];
    inner.finish(digest);
    Sha256 outer;
    outer.add(outer_key, kBlock);
    outer.add(digest, sizeof digest);
    outer.finish(mac);
}
