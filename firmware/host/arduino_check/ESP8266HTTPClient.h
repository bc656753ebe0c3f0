// Declarations only; see README.md. From libraries/ESP8266HTTPClient/src/ESP8266HTTPClient.h of core 3.1.2.
// begin(url) without a client is an error there, and missing here.
#pragma once

#include "WiFiClient.h"

class HTTPClient {
   public:
    HTTPClient();
    ~HTTPClient();
    bool begin(WiFiClient& client, const String& url);
    bool begin(WiFiClient& client, const String& host, uint16_t port, const String& uri = "/", bool https = false);
    void end(void);
    void setReuse(bool reuse);
    void setUserAgent(const String& user_agent);
    void setTimeout(uint16_t timeout);
    void useHTTP10(bool use_http10 = true);
    int POST(const uint8_t* payload, size_t size);
    void addHeader(const String& name, const String& value, bool first = false, bool replace = true);
    void collectHeaders(const char* header_keys[], const size_t header_keys_count);
    String header(const char* name);
    int getSize(void);
    WiFiClient& getStream(void);
    static String errorToString(int error);

   private:
    struct Exchange;
    std::unique_ptr<Exchange> exchange_;  // not the core's
};
