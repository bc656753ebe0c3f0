// The set-up network: a WiFi of the board's own with one page on it.
#pragma once

#include <DNSServer.h>
#include <ESP8266WebServer.h>
#include <settings.h>

#include "settings_store.h"

class Portal {
   public:
    static constexpr uint32_t kOpenMs = 10 * 60'000;  // after the last page, if the counter is set up

    explicit Portal(SettingsStore& store) : store_(store) {}

    // Open it with *settings* in the form. *stay*: until it is filled in, however long that takes.
    void open(const footfall::Settings& settings, bool has_ca, bool stay);
    void close();
    bool is_open() const { return open_; }

    // Answer who asks, and close when nobody has for long.
    void serve(uint32_t now_ms);

   private:
    void show_page();
    void take_form();
    void send_page(int status);
    void redirect();
    bool is_own_network();

    SettingsStore& store_;
    footfall::Settings form_;
    bool has_ca_ = false;
    bool stay_ = false;
    bool open_ = false;
    bool routed_ = false;
    uint32_t asked_ms_ = 0;
    DNSServer names_;
    ESP8266WebServer web_{80};
};
