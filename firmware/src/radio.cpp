#include "radio.h"

#include <ESP8266WiFi.h>

#include "board.h"
#include "log.h"

void Radio::begin(const footfall::Settings& settings) {
    settings_ = &settings;
    WiFi.persistent(false);        // otherwise the SDK writes its flash at each join
    WiFi.setAutoReconnect(false);  // WifiSupervisor reconnects
    WiFi.setSleepMode(WIFI_NONE_SLEEP);  // a sleeping radio delays answers by up to a second
    WiFi.hostname(board_name());
}

bool Radio::update(uint32_t answer_age_ms, uint32_t now_ms) {
    act(supervisor_.update(is_up(), answer_age_ms, now_ms));
    const bool joined = supervisor_.joined();
    const bool came_back = joined && !was_joined_;
    if (came_back) {
        log_line("WiFi connected; address=%s rssi_dbm=%d", WiFi.localIP().toString().c_str(), rssi_dbm());
    } else if (was_joined_ && !joined) {
        log_line("warning: WiFi connection lost; reconnecting");
    }
    was_joined_ = joined;
    return came_back;
}

void Radio::act(footfall::WifiAction action) {
    switch (action) {
        case footfall::WifiAction::kNone:
            return;
        case footfall::WifiAction::kJoin:
            WiFi.enableSTA(true);
            WiFi.begin(settings_->ssid, settings_->wifi_password[0] != '\0' ? settings_->wifi_password : nullptr);
            return;
        case footfall::WifiAction::kLeave:
            WiFi.disconnect(false);
            return;
        case footfall::WifiAction::kRadioOff:
            WiFi.disconnect(true);  // true: also switches the station off
            return;
    }
}

bool Radio::is_up() const { return WiFi.status() == WL_CONNECTED; }

int Radio::rssi_dbm() const { return is_up() ? WiFi.RSSI() : 0; }
