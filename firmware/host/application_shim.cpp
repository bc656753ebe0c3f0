// The portable parts of the application for ctypes: settings, console, set-up page, WiFi, LED, button, crossing source.

#include <stdio.h>
#include <string.h>

#include "detector/crossing_source.h"
#include "device/button.h"
#include "device/console.h"
#include "device/status_led.h"
#include "device/wifi_supervisor.h"
#include "sending/server_url.h"
#include "settings/portal_page.h"
#include "settings/settings.h"
#include "settings/settings_check.h"

using namespace footfall;

namespace {

class Buffer : public TextSink {
   public:
    Buffer(char* text, size_t capacity) : text_(text), capacity_(capacity) { text_[0] = '\0'; }

    void write(const char* text, size_t length) override {
        if (length_ + length < capacity_) {
            memcpy(text_ + length_, text, length);
            length_ += length;
            text_[length_] = '\0';
        }
    }

   private:
    char* text_;
    size_t capacity_;
    size_t length_ = 0;
};

struct SourceAndEdges {
    EdgeBuffer edges;
    CrossingSource source{edges, BeamSettings()};
};

}  // namespace

extern "C" {

const char* app_refused_pin(int gpio) { return refused_pin(gpio); }

Settings* app_settings() { return new Settings(); }

void app_settings_free(Settings* settings) { delete settings; }

size_t app_settings_count() { return kSettingCount; }

const char* app_setting_name(size_t index) { return setting_name(index); }

bool app_setting_is_secret(size_t index) { return setting_is_secret(index); }

const char* app_set(Settings* settings, const char* name, const char* value) {
    return set_setting(*settings, name, value);
}

size_t app_get(const Settings* settings, size_t index, char* text, size_t capacity) {
    return render_setting(*settings, index, text, capacity);
}

// Writes one line `name: sentence` for each problem.
void app_check(const Settings* settings, bool has_ca, char* text, size_t capacity) {
    Buffer buffer(text, capacity);
    const SettingProblems problems = check_settings(*settings, has_ca);
    for (size_t at = 0; at < problems.count; ++at) {
        char line[256];
        const int length =
            snprintf(line, sizeof line, "%s: %s\n", problems.problems[at].name, problems.problems[at].sentence);
        buffer.write(line, static_cast<size_t>(length));
    }
}

size_t app_render(const Settings* settings, char* text, size_t capacity) {
    return render_settings(*settings, text, capacity);
}

bool app_parse(Settings* settings, const char* text, size_t length) { return parse_settings(text, length, *settings); }

void app_portal(const Settings* settings, bool has_ca, char* text, size_t capacity) {
    Buffer buffer(text, capacity);
    render_portal_page(*settings, check_settings(*settings, has_ca), buffer);
}

bool app_url(const char* text, char* text_of_url, size_t capacity) {
    ServerUrl url;
    if (!parse_server_url(text, url)) {
        return false;
    }
    snprintf(text_of_url, capacity, "%s %s %u %s", url.secure ? "https" : "http", url.host, url.port, url.path);
    return true;
}

Console* app_console() { return new Console(); }

void app_console_free(Console* console) { delete console; }

// Feeds one character; returns the kind of the command it completes.
int app_console_feed(Console* console, char letter, const char** name, const char** value) {
    const Command command = console->feed(letter);
    *name = command.name;
    *value = command.value;
    return static_cast<int>(command.kind);
}

const char* app_help() { return kHelpText; }

WifiSupervisor* app_wifi() { return new WifiSupervisor(); }

void app_wifi_free(WifiSupervisor* wifi) { delete wifi; }

int app_wifi_update(WifiSupervisor* wifi, bool up, uint32_t answer_age_ms, uint32_t now_ms) {
    return static_cast<int>(wifi->update(up, answer_age_ms, now_ms));
}

int app_led_code(bool portal, bool trouble, uint32_t blocked_s, bool refused, bool joined, uint32_t delivered_age_ms) {
    LedFacts facts;
    facts.portal_open = portal;
    facts.queue_trouble = trouble;
    facts.beam_blocked_s = blocked_s;
    facts.refused = refused;
    facts.wifi_joined = joined;
    facts.delivered_age_ms = delivered_age_ms;
    return static_cast<int>(led_code(facts));
}

bool app_led_is_lit(int code, uint32_t now_ms) { return led_is_lit(static_cast<LedCode>(code), now_ms); }

Button* app_button() { return new Button(); }

void app_button_free(Button* button) { delete button; }

bool app_button_update(Button* button, bool down, uint32_t now_ms) { return button->update(down, now_ms); }

SourceAndEdges* app_source() { return new SourceAndEdges(); }

void app_source_free(SourceAndEdges* source) { delete source; }

void app_source_start(SourceAndEdges* source, bool outer, bool inner, uint32_t now_us) {
    source->source.start({outer, inner}, now_us);
}

void app_source_edge(SourceAndEdges* source, bool outer, bool inner, uint32_t now_us) {
    source->edges.push(now_us, {outer, inner});
}

void app_source_pump(SourceAndEdges* source, bool outer, bool inner, uint32_t now_us) {
    source->source.pump({outer, inner}, now_us);
}

// Returns 1 for an entry, -1 for an exit, 0 if there is no crossing.
int app_source_take(SourceAndEdges* source, int64_t* at_ms) {
    DetectedCrossing crossing;
    if (!source->source.take(crossing)) {
        return 0;
    }
    *at_ms = crossing.at_ms;
    return static_cast<int>(crossing.direction);
}

int64_t app_source_now_ms(const SourceAndEdges* source) { return source->source.now_ms(); }

int64_t app_source_settled_ms(const SourceAndEdges* source) { return source->source.settled_ms(); }

int64_t app_source_until_ms(const SourceAndEdges* source) { return source->source.counted_until_ms(); }

int64_t app_source_since_ms(const SourceAndEdges* source) { return source->source.counting_since_ms(); }

int64_t app_source_uncounted_ms(const SourceAndEdges* source) { return source->source.uncounted_ms(); }

void app_source_report_breaks(SourceAndEdges* source) { source->source.note_breaks_reported(); }

uint32_t app_source_breaks(const SourceAndEdges* source) { return source->source.breaks(); }

uint32_t app_source_lost(const SourceAndEdges* source) { return source->source.lost_edges(); }
}
