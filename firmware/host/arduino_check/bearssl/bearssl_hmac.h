// Declarations only; see README.md. From BearSSL's inc/bearssl_hash.h and inc/bearssl_hmac.h, as core 3.1.2 ships them.
#pragma once

#include <stddef.h>
#include <stdint.h>

extern "C" {
typedef struct br_hash_class_ br_hash_class;
extern const br_hash_class br_sha256_vtable;

typedef struct {
    const br_hash_class* dig_vtable;
    unsigned char ksi[64], kso[64];
} br_hmac_key_context;

typedef struct {
    unsigned char dig[256];
    unsigned char kso[64];
    size_t out_len;
} br_hmac_context;

void br_hmac_key_init(br_hmac_key_context* kc, const br_hash_class* digest_vtable, const void* key, size_t key_len);
void br_hmac_init(br_hmac_context* ctx, const br_hmac_key_context* kc, size_t out_len);
void br_hmac_update(br_hmac_context* ctx, const void* data, size_t len);
size_t br_hmac_out(const br_hmac_context* ctx, void* out);
}
