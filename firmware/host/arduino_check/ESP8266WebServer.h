// Declarations only; see README.md. From libraries/ESP8266WebServer/src of core 3.1.2, where it is a template.
#pragma once

#include "WiFiClient.h"

enum HTTPMethod { HTTP_ANY, HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS };
#define CONTENT_LENGTH_UNKNOWN ((size_t)-1)

class Uri {
   public:
    Uri(const char* uri);
    Uri(const String& uri);
    String text;  // not the core's
};

class ESP8266WebServer {
   public:
    typedef std::function<void(void)> THandlerFunction;
    ESP8266WebServer(int port = 80);
    ~ESP8266WebServer();
    void begin();
    void handleClient();
    void stop();
    void on(const Uri& uri, HTTPMethod method, THandlerFunction fn);
    void onNotFound(THandlerFunction fn);
    WiFiClient& client();
    const String& arg(const String& name) const;
    bool hasArg(const String& name) const;
    void send(int code, const char* content_type = nullptr, const String& content = String(""));
    void send(int code, const char* content_type, const char* content);
    void setContentLength(const size_t content_length);
    void sendHeader(const String& name, const String& value, bool first = false);
    void sendContent(const String& content);
    void sendContent(const char* content);
    void sendContent(const char* content, size_t size);

   private:
    struct State;
    std::unique_ptr<State> state_;  // not the core's
};
