// Declarations only; see README.md. From WiFiClientSecureBearSSL.h and BearSSLHelpers.h of core 3.1.2.
#pragma once

#include "WiFiClient.h"

namespace BearSSL {

class PublicKey {
   public:
    PublicKey(const char* pem_key);
    PublicKey(const PublicKey& that) = delete;
};

class X509List {
   public:
    X509List();
    X509List(const char* pem_cert);
    X509List(const X509List& that) = delete;
    bool append(const char* pem_cert);
    size_t getCount() const;
};

class Session {};

class HashSHA256 : public UpdaterHashClass {
   public:
    void begin() override;
    void add(const void* data, uint32_t len) override;
    void end() override;
    int len() override;
    const void* hash() override;
    const unsigned char* oid() override;
};

class SigningVerifier : public UpdaterVerifyClass {
   public:
    uint32_t length() override;
    bool verify(UpdaterHashClass* hash, const void* signature, uint32_t signature_len) override;
    SigningVerifier(PublicKey* pub_key);
};

class WiFiClientSecure : public WiFiClient {
   public:
    WiFiClientSecure();
    void setSession(Session* session);
    bool setFingerprint(const uint8_t fingerprint[20]);
    bool setFingerprint(const char* fp_str);
    void setTrustAnchors(const X509List* ta);
    void setX509Time(time_t now);
    void setBufferSizes(int recv, int xmit);
    static bool probeMaxFragmentLength(const char* hostname, uint16_t port, uint16_t len);
};

}  // namespace BearSSL
