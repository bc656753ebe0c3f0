// The WiFi, joined for ever by the supervisor's rules.
#pragma once

#include <settings.h>
#include <wifi_supervisor.h>

class Radio {
   public:
    void begin(const footfall::Settings& settings);

    // Do what is due. *answer_age_ms*: since the server last answered anything. True when the network has just come back.
    bool update(uint32_t answer_age_ms, uint32_t now_ms);

    bool is_up() const;
    // Strength of the signal, 0 where there is none.
    int rssi_dbm() const;

   private:
    void act(footfall::WifiAction action);

    const footfall::Settings* settings_ = nullptr;
    footfall::WifiSupervisor supervisor_;
    bool was_joined_ = false;
};
