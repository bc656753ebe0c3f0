// The application: connects the core in lib/footfall, which decides everything and is tested on a PC, to the board.
//
//     interrupt   pin changes -> edge buffer                     always, even while flash or network are busy
//     hook        edge buffer -> detector -> crossings in RAM    every 10 ms, even while a request blocks the loop
//     loop        crossings -> queue in flash; then time, WiFi, set-up, updates, one request, LED
//
// A board without settings does not count: it opens its set-up network and waits.

#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <Schedule.h>
#include <Ticker.h>
#include <coredecls.h>
#include <sys/time.h>

#include "detector/crossing_source.h"
#include "device/button.h"
#include "device/status_led.h"
#include "queue/crossing_queue.h"
#include "sending/sender.h"
#include "settings/settings_check.h"
#include "time/clock.h"

#include "beam_interrupts.h"
#include "board.h"
#include "board_services.h"
#include "flash_ring.h"
#include "ingest_client.h"
#include "log.h"
#include "portal.h"
#include "radio.h"
#include "report.h"
#include "serial_commands.h"
#include "settings_store.h"
#include "updates.h"

namespace {

constexpr uint32_t kPumpUs = 10'000;

SettingsStore store;
footfall::Settings settings;
Portal portal(store);

FlashRing flash;
BoardRandom noise;
footfall::Queue queue(flash, noise);
footfall::Clock wall_clock;
footfall::SigningKey key;
Radio radio;
IngestClient ingest;

// Created once in setup(), because they need the settings; nullptr on a board without settings.
footfall::CrossingSource* source = nullptr;
footfall::Sender* sender = nullptr;

footfall::Button button;
Ticker watchdog;
volatile uint32_t rounds = 0;
volatile bool network_time_came = false;

uint32_t breaks_seen = 0;
bool is_paused = false;
bool queue_trouble = false;
bool is_refused = false;
bool prints_beams = false;
uint32_t answered_ms = 0;
uint32_t delivered_ms = 0;

void pump() {
    const uint32_t now_us = micros();
    source->pump(read_beams(), now_us);
}

// Reports breaks in counting to the queue, so that no span covers them.
void note_breaks() {
    const bool went_on = source->breaks() != breaks_seen;
    if (!is_paused && (went_on || !source->is_counting())) {
        is_paused = true;
        queue.pause(source->counted_until_ms());
        log_line("warning: counting stopped: a beam is blocked or edges were lost; lost_edges=%lu",
                 static_cast<unsigned long>(source->lost_edges()));
    }
    if (went_on) {
        breaks_seen = source->breaks();
        is_paused = false;
        queue.resume(source->counting_since_ms());
        source->note_breaks_reported();
        log_line("counting resumed");
    }
    if (is_paused && !source->is_counting()) {
        return;
    }
    queue.note_alive(source->settled_ms());
}

void keep_crossings() {
    footfall::DetectedCrossing crossing;
    while (source->take(crossing)) {
        const bool is_entry = crossing.direction == footfall::Direction::kEntry;
        const bool kept = queue.append(static_cast<int8_t>(crossing.direction), crossing.at_ms);
        if (kept != !queue_trouble) {
            queue_trouble = !kept;
            log_line(kept ? "queue accepts crossings again"
                          : "error: crossing lost: the queue is full or the flash memory failed");
        }
        if (kept) {
            sender->notice_crossing(source->now_ms());
            log_line("crossing %lu: %s", static_cast<unsigned long>(queue.next_seq() - 1), is_entry ? "entry" : "exit");
        }
    }
    note_breaks();
}

void note_clock(footfall::ClockChange change) {
    if (change != footfall::ClockChange::kNone) {
        queue.note_offset(wall_clock.offset_ms(), change == footfall::ClockChange::kStep);
    }
    if (change == footfall::ClockChange::kStep) {
        log_line("clock set from the network");
    }
}

void hear_network_time() {
    if (!network_time_came) {
        return;
    }
    network_time_came = false;
    struct timeval now;
    gettimeofday(&now, nullptr);
    const int64_t utc_ms = static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_usec / 1000;
    pump();  // advances source->now_ms() to this moment
    note_clock(wall_clock.set_from_network(utc_ms, source->now_ms()));
}

const char* describe(footfall::Outcome outcome) {
    switch (outcome) {
        case footfall::Outcome::kAcknowledged:
            return "batch acknowledged";
        case footfall::Outcome::kPartly:
            return "batch partly acknowledged; resending the rest";
        case footfall::Outcome::kClockSet:
            return "warning: the clock was off; set from the server, resending";
        case footfall::Outcome::kUnauthorised:
            return "error: the server refused the counter's id or key: compare both with footfall counter add";
        case footfall::Outcome::kBusy:
            return "warning: the server is busy; retrying later";
        case footfall::Outcome::kHalved:
            return "warning: the server refused the batch; retrying with fewer crossings";
        case footfall::Outcome::kDropped:
            return "error: the server refused a crossing; dropped";
        case footfall::Outcome::kHeartbeatRefused:
            return "warning: the server refused a heartbeat; its span stays a gap";
        case footfall::Outcome::kRedated:
            return "warning: the server refused a time; resending with another or without";
        case footfall::Outcome::kNotReceived:
            break;
    }
    return "warning: batch not delivered; retrying later";
}

void send_batch() {
    if (!radio.is_up() || !sender->is_due(source->now_ms())) {
        return;
    }
    // In this order: crossings that the hook has found meanwhile reach the queue before a span covers them.
    const int64_t settled_ms = source->settled_ms();
    keep_crossings();
    const footfall::Status status = report_status(*source, queue, radio);
    const footfall::Request* request = sender->prepare(source->now_ms(), settled_ms, status);
    if (request == nullptr) {
        return;
    }
    const int64_t utc_ms = wall_clock.is_set() ? wall_clock.utc_ms(source->now_ms()) : 0;
    const footfall::Answer answer = ingest.post(*request, static_cast<time_t>(utc_ms / 1000));
    pump();
    const footfall::Outcome outcome = sender->take(answer, source->now_ms());
    const uint32_t now_ms = millis();
    if (answer.status > 0) {
        answered_ms = now_ms;
    }
    if (outcome == footfall::Outcome::kAcknowledged || outcome == footfall::Outcome::kPartly) {
        delivered_ms = now_ms;
    }
    is_refused = outcome == footfall::Outcome::kUnauthorised;
    log_line("%s; queued=%lu", describe(outcome), static_cast<unsigned long>(queue.waiting()));
}

void show_led(uint32_t now_ms) {
    footfall::LedFacts facts;
    facts.portal_open = portal.is_open();
    facts.queue_trouble = queue_trouble;
    facts.beam_blocked_s = static_cast<uint32_t>(source->uncounted_ms() / 1000);
    facts.refused = is_refused;
    facts.wifi_joined = radio.is_up();
    facts.delivered_age_ms = now_ms - delivered_ms;
    digitalWrite(kLedPin, footfall::led_is_lit(footfall::led_code(facts), now_ms) ? LOW : HIGH);
}

void print_beams() {
    static bool outer = false;
    static bool inner = false;
    const bool outer_now = source->is_interrupted(footfall::Beam::kOuter);
    const bool inner_now = source->is_interrupted(footfall::Beam::kInner);
    if (prints_beams && (outer_now != outer || inner_now != inner)) {
        Serial.printf("%10lu ms  outer %c  inner %c\n", static_cast<unsigned long>(source->now_ms()),
                      outer_now ? '#' : '.', inner_now ? '#' : '.');
    }
    outer = outer_now;
    inner = inner_now;
}

void show_status() {
    if (source == nullptr) {
        Serial.println("Not set up: the counter does not count. show lists the settings; save says which are missing.");
        return;
    }
    print_status(report_status(*source, queue, radio), wall_clock, *source);
}

void set_beam_printing(bool on) { prints_beams = on; }

bool format_queue() { return queue.format(source != nullptr ? source->now_ms() : 0); }

SerialCommands commands(store, portal, {show_status, set_beam_printing, format_queue});

void start_counting() {
    footfall::BeamSettings beams;
    beams.spacing_mm = settings.spacing_mm;
    beams.swap = settings.swap;
    beams.interrupted_is_high = settings.blocked_high;
    start_beam_interrupts(settings);
    source = new footfall::CrossingSource(beam_edges(), beams);
    source->start(read_beams(), micros());
    switch (queue.open(source->now_ms())) {
        case footfall::Opening::kKept:
            log_line("queue opened; queued=%lu", static_cast<unsigned long>(queue.waiting()));
            break;
        case footfall::Opening::kFormatted:
            log_line("queue formatted; began a new stream");
            break;
        case footfall::Opening::kTorn:
            log_line("warning: the newest part of the queue was destroyed; kept the rest, began a new stream");
            break;
        case footfall::Opening::kFailed:
            queue_trouble = true;
            log_line("error: the flash memory failed: the counter cannot store crossings; replace the board");
            break;
    }
    // The Arduino core runs this at every yield and delay, so edges are processed whatever the loop waits for.
    schedule_recurrent_function_us([]() { pump(); return true; }, kPumpUs);
}

void start_sending() {
    footfall::parse_key(settings.key, key);
    ingest.begin(settings, store.load_ca());
    sender = new footfall::Sender(queue, wall_clock, noise, board_hmac, settings.counter, key,
                                  footfall::Sender::Policy());
    settimeofday_cb([](bool from_sntp) { network_time_came = network_time_came || from_sntp; });
    if (settings.ntp[0] != '\0') {
        configTime("UTC0", settings.ntp);  // the counter sends UTC only; the server knows the site's zone
    }
    radio.begin(settings);
    begin_updates(settings);
}

// Runs in the timer's context, so it catches a library that waits for ever and feeds the core's own watchdog.
void check_progress() {
    static uint32_t rounds_seen = 0;
    static uint32_t stuck_ms = 0;
    constexpr uint32_t kEveryMs = 10'000;
    stuck_ms = rounds == rounds_seen ? stuck_ms + kEveryMs : 0;
    rounds_seen = rounds;
    if (stuck_ms >= kStuckMs) {
        ESP.reset();
    }
}

void count(uint32_t now_ms) {
    pump();
    keep_crossings();
    print_beams();
    hear_network_time();
    // While the set-up network is open, a search for another network would disconnect its guests.
    if (!portal.is_open() || radio.is_up()) {
        if (radio.update(now_ms - answered_ms, now_ms)) {
            sender->send_now(source->now_ms());
        }
    }
    serve_updates();
    send_batch();
    show_led(now_ms);
}

}  // namespace

String board_name() {
    char name[24];
    snprintf(name, sizeof name, "footfall-%06X", static_cast<unsigned>(ESP.getChipId()));
    return String(name);
}

void setup() {
    Serial.begin(kSerialBaud);
    pinMode(kLedPin, OUTPUT);
    pinMode(kButtonPin, INPUT_PULLUP);
    Serial.println();
    log_line("Footfall counter %s, %s", kFirmwareVersion, ESP.getResetReason().c_str());
    if (!store.begin()) {
        log_line("error: the flash memory failed: replace the board");
    }
    settings = store.load();
    const bool has_ca = store.load_ca().length() > 0;
    commands.begin(settings, has_ca);
    if (footfall::check_settings(settings, has_ca).count == 0) {
        start_counting();
        start_sending();
    } else {
        portal.open(settings, has_ca, true);
    }
    watchdog.attach_ms(10'000, check_progress);
}

void loop() {
    ++rounds;
    const uint32_t now_ms = millis();
    if (source != nullptr) {
        count(now_ms);
    } else {
        digitalWrite(kLedPin, footfall::led_is_lit(footfall::LedCode::kPortal, now_ms) ? LOW : HIGH);
    }
    portal.serve(now_ms);
    commands.serve();
    if (button.update(digitalRead(kButtonPin) == LOW, now_ms)) {
        portal.open(settings, store.load_ca().length() > 0, source == nullptr);
    }
    delay(1);  // lets the radio work and the processor rest
}
