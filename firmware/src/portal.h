// The set-up network: the board's own WiFi access point with one page.
#pragma once

#include <DNSServer.h>
#include <ESP8266WebServer.h>

#include "settings/settings.h"

#include "settings_store.h"

class Portal {
   public:
    static constexpr uint32_t kOpenMs = 10 * 60'000;  // closes this long after the last request, unless *stay*

    explicit Portal(SettingsStore& store) : store_(store) {}

    // Opens it with *settings* in the form. *stay*: keeps it open until the form is complete.
    void open(const footfall::Settings& settings, bool has_ca, bool stay);
    void close();
    bool is_open() const { return open_; }

    // Answers requests, and closes the network after kOpenMs without one.
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
    uint32_t requested_ms_ = 0;
    DNSServer names_;
    ESP8266WebServer web_{80};
};
