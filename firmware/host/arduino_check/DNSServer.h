// Declarations only; see README.md. From libraries/DNSServer/src/DNSServer.h of core 3.1.2.
#pragma once

#include "Arduino.h"

class DNSServer {
   public:
    DNSServer();
    bool start(const uint16_t& port, const String& domain_name, const IPAddress& resolved_ip);
    void processNextRequest();
    void stop();
};
