#include "portal.h"

#include <ESP8266WiFi.h>
#include <string.h>

#include "settings/portal_page.h"

#include "board.h"
#include "log.h"

namespace {

constexpr uint16_t kDnsPort = 53;

// Collects the page's small pieces into larger packets.
class WebSink : public footfall::TextSink {
   public:
    explicit WebSink(ESP8266WebServer& web) : web_(web) {}

    void write(const char* text, size_t length) override {
        while (length > 0) {
            const size_t room = sizeof buffer_ - size_;
            const size_t part = length < room ? length : room;
            memcpy(buffer_ + size_, text, part);
            size_ += part;
            text += part;
            length -= part;
            if (size_ == sizeof buffer_) {
                flush();
            }
        }
    }

    void flush() {
        if (size_ > 0) {
            web_.sendContent(buffer_, size_);
            size_ = 0;
        }
    }

   private:
    ESP8266WebServer& web_;
    char buffer_[512];
    size_t size_ = 0;
};

}  // namespace

void Portal::open(const footfall::Settings& settings, bool has_ca, bool stay) {
    form_ = settings;
    has_ca_ = has_ca;
    stay_ = stay;
    requested_ms_ = millis();
    if (open_) {
        return;
    }
    open_ = true;
    WiFi.enableAP(true);
    WiFi.softAP(board_name(), settings.setup_password);
    names_.start(kDnsPort, "*", WiFi.softAPIP());  // every name leads here, so phones open the page
    if (!routed_) {
        routed_ = true;
        web_.on("/", HTTP_GET, [this]() { show_page(); });
        web_.on("/save", HTTP_POST, [this]() { take_form(); });
        web_.onNotFound([this]() { redirect(); });
    }
    web_.begin();
    log_line("set-up network open; ssid=%s password=%s url=http://%s/", board_name().c_str(), settings.setup_password,
             WiFi.softAPIP().toString().c_str());
}

void Portal::close() {
    if (!open_) {
        return;
    }
    open_ = false;
    web_.stop();
    names_.stop();
    WiFi.softAPdisconnect(true);
    log_line("set-up network closed");
}

void Portal::serve(uint32_t now_ms) {
    if (!open_) {
        return;
    }
    names_.processNextRequest();
    web_.handleClient();
    if (!stay_ && now_ms - requested_ms_ >= kOpenMs) {
        close();
    }
}

// The web server listens on both networks; only the board's own network, which has a password, may use the page.
bool Portal::is_own_network() {
    if (web_.client().localIP() == WiFi.softAPIP()) {
        requested_ms_ = millis();
        return true;
    }
    web_.send(403, "text/plain", "This page is available only in the set-up network.\n");
    return false;
}

void Portal::show_page() {
    if (is_own_network()) {
        send_page(200);
    }
}

void Portal::send_page(int status) {
    web_.setContentLength(CONTENT_LENGTH_UNKNOWN);
    web_.sendHeader("Cache-Control", "no-store");
    web_.send(status, "text/html", "");
    WebSink sink(web_);
    footfall::render_portal_page(form_, footfall::check_settings(form_, has_ca_), sink);
    sink.flush();
    web_.sendContent("");
}

void Portal::take_form() {
    if (!is_own_network()) {
        return;
    }
    for (size_t index = 0; index < footfall::kSettingCount; ++index) {
        const char* name = footfall::setting_name(index);
        const String& value = web_.arg(name);
        if (!web_.hasArg(name) || (value.length() == 0 && footfall::keeps_when_empty(index))) {
            continue;
        }
        const char* refused = footfall::set_setting(form_, name, value.c_str());
        if (refused != nullptr) {
            web_.send(400, "text/plain", String(name) + ": " + refused + " Go back and correct it.\n");
            return;
        }
    }
    if (footfall::check_settings(form_, has_ca_).count > 0) {
        send_page(422);
        return;
    }
    if (!store_.save(form_)) {
        log_line("error: settings not saved: the flash memory failed; replace the board");
        web_.send(500, "text/plain", "Not saved: the flash memory failed.\n");
        return;
    }
    web_.send(200, "text/plain", "Saved. The counter restarts and joins your network.\n");
    log_line("settings saved on the set-up page; restarting");
    delay(500);  // so that the answer is sent first
    ESP.restart();
}

void Portal::redirect() {
    if (is_own_network()) {
        web_.sendHeader("Location", String("http://") + WiFi.softAPIP().toString() + "/");
        web_.send(302, "text/plain", "");
    }
}
