// Sends requests to ingest over HTTP or HTTPS, each within a bounded time.
#pragma once

#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <WiFiClientSecureBearSSL.h>

#include "sending/sender.h"
#include "sending/server_url.h"
#include "settings/settings.h"

class IngestClient {
   public:
    // *ca*: a certificate in PEM form, or empty; copied. False if settings.url is invalid.
    bool begin(const footfall::Settings& settings, const String& ca);

    // POSTs *request* and returns the answer, valid until the next call. *utc_s*: the time for checking a certificate's
    // dates, 0 if unknown. Blocks for at most about 20 s; the interrupt and the hook keep counting meanwhile.
    footfall::Answer post(const footfall::Request& request, time_t utc_s);

   private:
    static constexpr uint16_t kTimeoutMs = 5'000;  // each for name, connection and answer
    static constexpr size_t kAnswerBytes = 512;    // a receipt has 60; the rest of a long error is not read

    // Returns the client to use; nullptr if TLS lacks memory.
    WiFiClient* client(time_t utc_s);
    void negotiate_buffers();
    bool has_memory_for_tls() const;

    footfall::ServerUrl url_;
    const footfall::Settings* settings_ = nullptr;
    BearSSL::X509List ca_;
    BearSSL::Session session_;  // saves 3 to 4 s at the next connection
    WiFiClient plain_;
    BearSSL::WiFiClientSecure secure_;
    bool buffers_negotiated_ = false;
    bool short_fragments_ = false;
    char body_[kAnswerBytes];
    String date_;
    String retry_after_;
};
