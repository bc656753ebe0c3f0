// Declarations only; see README.md. From libraries/ESP8266WiFi/src/WiFiClient.h of core 3.1.2.
#pragma once

#include "Arduino.h"

class WiFiClient : public Stream {
   public:
    WiFiClient();
    virtual int connect(const char* host, uint16_t port);
    size_t write(uint8_t) override;
    size_t write(const uint8_t* buf, size_t size) override;
    int available() override;
    int read() override;
    int peek() override;
    virtual void stop();
    virtual uint8_t connected();
    IPAddress remoteIP();
    IPAddress localIP();

    struct Connection;
    std::shared_ptr<Connection> connection_;  // not the core's
};
