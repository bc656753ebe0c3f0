// Declarations only; see README.md. From libraries/ESP8266WiFi/src of core 3.1.2.
#pragma once

#include "Arduino.h"
#include "WiFiClient.h"

typedef enum {
    WL_IDLE_STATUS = 0,
    WL_NO_SSID_AVAIL = 1,
    WL_SCAN_COMPLETED = 2,
    WL_CONNECTED = 3,
    WL_CONNECT_FAILED = 4,
    WL_CONNECTION_LOST = 5,
    WL_WRONG_PASSWORD = 6,
    WL_DISCONNECTED = 7
} wl_status_t;

typedef enum WiFiSleepType { WIFI_NONE_SLEEP = 0, WIFI_LIGHT_SLEEP = 1, WIFI_MODEM_SLEEP = 2 } WiFiSleepType_t;

class ESP8266WiFiClass {
   public:
    void persistent(bool persistent);
    bool setAutoReconnect(bool auto_reconnect);
    bool setSleepMode(WiFiSleepType_t type, uint8_t listen_interval = 0);
    bool hostname(const String& name);
    bool hostname(const char* name);
    bool enableSTA(bool enable);
    bool enableAP(bool enable);
    wl_status_t begin(const char* ssid, const char* passphrase = nullptr, int32_t channel = 0,
                      const uint8_t* bssid = nullptr, bool connect = true);
    bool disconnect(bool wifi_off = false);
    wl_status_t status();
    int8_t RSSI();
    IPAddress localIP();
    bool softAP(const String& ssid, const String& psk = String(), int channel = 1, int hidden = 0,
                int max_connection = 4, int beacon_interval = 100);
    bool softAPdisconnect(bool wifi_off = false);
    IPAddress softAPIP();
};
extern ESP8266WiFiClass WiFi;
