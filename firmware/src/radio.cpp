#include "radio.h"

#include <ESP8266WiFi.h>

#include "board.h"
#include "log.h"

void Radio::begin(const footfall::Settings& settings) {
    settings_ = &settings;
    WiFi.persistent(false);        // the settings are ours; the SDK would write its flash at each join
    WiFi.setAutoReconnect(false);  // one supervisor, not two
    WiFi.setSleepMode(WIFI_NONE_SLEEP);  // mains powered; a sleeping radio delays answers by up to a second
    WiFi.hostname(board_name());
}

bool Radio::update(uint32_t answer_age_ms, uint32_t now_ms) {
    act(supervisor_.update(is_up(), answer_age_ms, now_ms));
    const bool joined = supervisor_.joined();
    const bool came_back = joined && !was_joined_;
    if (came_back) {
        log_line("WiFi joined: %s, %d dBm", WiFi.localIP().toString().c_str(), rssi_dbm());
    } else if (was_joined_ && !joined) {
        log_line("warning: WiFi lost; it is joined again, counting goes on");
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
            WiFi.disconnect(true);  // the station is off until the next join
            return;
    }
}

bool Radio::is_up() const { return WiFi.status() == WL_CONNECTED; }

int Radio::rssi_dbm() const { return is_up() ? WiFi.RSSI() : 0; }
