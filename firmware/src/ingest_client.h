// Ingest, by HTTP or HTTPS: one request out, one answer back, within a bounded time.
#pragma once

#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <WiFiClientSecureBearSSL.h>
#include <sender.h>
#include <server_url.h>
#include <settings.h>

class IngestClient {
   public:
    // *ca*: a certificate in PEM form or empty; it is copied. False where settings.url is none.
    bool begin(const footfall::Settings& settings, const String& ca);

    // POST *request* and return what came back, valid until the next call. *utc_s*: the time for a certificate's dates,
    // 0 where it is unknown. Blocks for some 20 s at worst; edges are recorded and pumped meanwhile.
    footfall::Answer post(const footfall::Request& request, time_t utc_s);

   private:
    static constexpr uint16_t kTimeoutMs = 5'000;  // for the name, the connection, the answer: each
    static constexpr size_t kAnswerBytes = 512;    // a receipt has 60; the rest of a long error is not read

    // The client to ask with; nullptr where there is too little memory for TLS.
    WiFiClient* client(time_t utc_s);
    void negotiate_buffers();
    bool has_memory_for_tls() const;

    footfall::ServerUrl url_;
    const footfall::Settings* settings_ = nullptr;
    BearSSL::X509List ca_;
    BearSSL::Session session_;  // saves three to four seconds at the next connection
    WiFiClient plain_;
    BearSSL::WiFiClientSecure secure_;
    bool buffers_negotiated_ = false;
    bool short_fragments_ = false;
    char body_[kAnswerBytes];
    String date_;
    String retry_after_;
};
