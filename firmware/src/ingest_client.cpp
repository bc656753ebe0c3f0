#include "ingest_client.h"

#include <ESP8266HTTPClient.h>

#include "board.h"
#include "log.h"

bool IngestClient::begin(const footfall::Settings& settings, const String& ca) {
    settings_ = &settings;
    if (ca.length() > 0) {
        ca_.append(ca.c_str());
    }
    return footfall::parse_server_url(settings.url, url_);
}

WiFiClient* IngestClient::client(time_t utc_s) {
    if (!url_.secure) {
        return &plain_;
    }
    negotiate_buffers();
    if (!has_memory_for_tls()) {
        return nullptr;
    }
    secure_.setSession(&session_);
    if (settings_->fingerprint[0] != '\0') {
        secure_.setFingerprint(settings_->fingerprint);
    } else {
        secure_.setTrustAnchors(&ca_);  // an empty list refuses every server
        secure_.setX509Time(utc_s);
    }
    return &secure_;
}

// Checks once whether the server accepts short fragments (RFC 6066, section 4): 2 KB of buffers instead of 17.
void IngestClient::negotiate_buffers() {
    if (buffers_negotiated_) {
        return;
    }
    buffers_negotiated_ = true;
    short_fragments_ = BearSSL::WiFiClientSecure::probeMaxFragmentLength(url_.host, url_.port, 1024);
    secure_.setBufferSizes(short_fragments_ ? 1024 : 16384, short_fragments_ ? 1024 : 512);
    log_line("TLS buffers: %s", short_fragments_ ? "1 KB each" : "16 KB; the server accepts no short fragments");
}

// BearSSL needs each buffer in one piece, 6 KB of stack and some memory for tables (core 3.1.2, "BearSSL client"). A
// handshake that runs out of memory crashes the board; a batch that waits costs nothing.
bool IngestClient::has_memory_for_tls() const {
    constexpr uint32_t kBesidesBuffers = 12'000;
    const uint32_t largest = short_fragments_ ? 6'200 : 16'500;
    const uint32_t in_all = kBesidesBuffers + (short_fragments_ ? 2'500 : 17'500);
    if (ESP.getMaxFreeBlockSize() >= largest && ESP.getFreeHeap() >= in_all) {
        return true;
    }
    log_line("error: not enough memory for HTTPS: make the server accept short fragments; needed=%lu free=%lu",
             static_cast<unsigned long>(in_all), static_cast<unsigned long>(ESP.getFreeHeap()));
    return false;
}

footfall::Answer IngestClient::post(const footfall::Request& request, time_t utc_s) {
    footfall::Answer answer = {};
    HTTPClient http;       // borrows the client, so it must end first
    http.useHTTP10(true);  // one connection per request: no stale connections, no chunked answers
    http.setReuse(false);
    http.setTimeout(kTimeoutMs);
    WiFiClient* connection = client(utc_s);
    if (connection == nullptr) {
        return answer;
    }
    connection->setTimeout(kTimeoutMs);
    if (!http.begin(*connection, String(url_.host), url_.port, String(url_.path), url_.secure)) {
        return answer;
    }
    static const char* wanted[] = {"Date", "Retry-After"};
    http.collectHeaders(wanted, 2);
    http.setUserAgent(String("footfall/") + kFirmwareVersion);
    http.addHeader("Content-Type", "application/json");
    http.addHeader("webhook-id", request.id);
    http.addHeader("webhook-timestamp", request.timestamp);
    http.addHeader("webhook-signature", request.signature);
    const int status = http.POST(reinterpret_cast<const uint8_t*>(request.body), request.body_size);
    if (status > 0) {
        const int length = http.getSize();
        const bool is_short = length >= 0 && static_cast<size_t>(length) < kAnswerBytes;
        const size_t size = is_short ? static_cast<size_t>(length) : kAnswerBytes;
        answer.status = status;
        answer.body = body_;
        answer.body_size = size > 0 ? http.getStream().readBytes(body_, size) : 0;
        date_ = http.header("Date");
        retry_after_ = http.header("Retry-After");
        answer.date = date_.c_str();
        answer.retry_after = retry_after_.c_str();
    } else {
        log_line("warning: no answer from %s:%u: %s", url_.host, url_.port, HTTPClient::errorToString(status).c_str());
    }
    http.end();
    return answer;
}
