// Declarations only; see README.md. From libraries/ArduinoOTA/ArduinoOTA.h of core 3.1.2.
#pragma once

#include "Arduino.h"

typedef enum { OTA_AUTH_ERROR, OTA_BEGIN_ERROR, OTA_CONNECT_ERROR, OTA_RECEIVE_ERROR, OTA_END_ERROR } ota_error_t;

class ArduinoOTAClass {
   public:
    typedef std::function<void(void)> THandlerFunction;
    typedef std::function<void(ota_error_t)> THandlerFunction_Error;
    void setHostname(const char* hostname);
    void setPassword(const char* password);
    void onStart(THandlerFunction fn);
    void onEnd(THandlerFunction fn);
    void onError(THandlerFunction_Error fn);
    void begin(bool use_mdns = true);
    void handle();
    int getCommand();
};
extern ArduinoOTAClass ArduinoOTA;
