// Connects to the WiFi network as WifiSupervisor decides.
#pragma once

#include "device/wifi_supervisor.h"
#include "settings/settings.h"

class Radio {
   public:
    void begin(const footfall::Settings& settings);

    // Acts on the supervisor's decision. *answer_age_ms*: time since the server's last answer. True if the network is
    // back.
    bool update(uint32_t answer_age_ms, uint32_t now_ms);

    bool is_up() const;
    // Signal strength; 0 without a connection.
    int rssi_dbm() const;

   private:
    void act(footfall::WifiAction action);

    const footfall::Settings* settings_ = nullptr;
    footfall::WifiSupervisor supervisor_;
    bool was_joined_ = false;
};
