// The counter: what runs when, and what belongs to what. All that decides anything is in lib/footfall and tested on a PC.
//
//     interrupt   pin changes -> edge buffer                          always, also while flash or network are busy
//     hook        edge buffer -> detector -> crossings in RAM         every 10 ms, also while a request blocks the loop
//     loop        crossings -> queue in flash; then time, WiFi, set-up, updates, one request, LED
//
// A board that was never set up does not count: it opens its set-up network and waits.

#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <Schedule.h>
#include <Ticker.h>
#include <button.h>
#include <clock.h>
#include <coredecls.h>
#include <crossing_queue.h>
#include <door.h>
#include <sender.h>
#include <status_led.h>
#include <sys/time.h>

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

// Made once in setup(), since they need the settings; nullptr on a board that was not set up.
footfall::Door* door = nullptr;
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
    door->pump(read_beams(), now_us);
}

// Tells the queue for which time nobody could be counted, so that no span covers it.
void note_breaks() {
    const bool went_on = door->breaks() != breaks_seen;
    if (!is_paused && (went_on || !door->is_counting())) {
        is_paused = true;
        queue.pause(door->counted_until_ms());
        log_line("warning: nobody can be counted: a beam is blocked, or edges were lost (%lu)",
                 static_cast<unsigned long>(door->lost_edges()));
    }
    if (went_on) {
        breaks_seen = door->breaks();
        is_paused = false;
        queue.resume(door->counting_since_ms());
        door->note_told();
        log_line("counting again");
    }
    if (is_paused && !door->is_counting()) {
        return;
    }
    queue.note_alive(door->settled_ms());
}

void keep_crossings() {
    footfall::Passed passed;
    while (door->take(passed)) {
        const bool is_entry = passed.direction == footfall::Direction::kEntry;
        const bool kept = queue.append(static_cast<int8_t>(passed.direction), passed.at_ms);
        if (kept != !queue_trouble) {
            queue_trouble = !kept;
            log_line(kept ? "the queue takes crossings again"
                          : "error: a crossing cannot be kept: the queue is full or the flash memory fails");
        }
        if (kept) {
            sender->notice_crossing(door->now_ms());
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
        log_line("clock set by the network");
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
    pump();  // so that the door's own clock tells this moment
    note_clock(wall_clock.hear_network(utc_ms, door->now_ms()));
}

const char* words_of(footfall::Outcome outcome) {
    switch (outcome) {
        case footfall::Outcome::kAcknowledged:
            return "batch acknowledged";
        case footfall::Outcome::kPartly:
            return "batch acknowledged in part; the rest is sent again";
        case footfall::Outcome::kClockSet:
            return "warning: the clock was off; set by the server, sent again";
        case footfall::Outcome::kUnauthorised:
            return "error: the server refuses counter or key: compare both with footfall counter add";
        case footfall::Outcome::kBusy:
            return "warning: the server is busy; sent again later";
        case footfall::Outcome::kHalved:
            return "warning: the server refuses the batch; fewer crossings are tried";
        case footfall::Outcome::kDropped:
            return "error: the server refuses a crossing for good; it is given up and counted as dropped";
        case footfall::Outcome::kHeartbeatRefused:
            return "warning: the server refuses a heartbeat for good; that time stays a gap";
        case footfall::Outcome::kDatedAnew:
            return "warning: the server refuses a time; sent again with another, or without";
        case footfall::Outcome::kNotReceived:
            break;
    }
    return "warning: the batch was not taken; sent again later";
}

void send_batch() {
    if (!radio.is_up() || !sender->is_due(door->now_ms())) {
        return;
    }
    // In this order: what the hook found since the loop kept its crossings is in the queue before a span covers it.
    const int64_t settled_ms = door->settled_ms();
    keep_crossings();
    const footfall::Status status = report_status(*door, queue, radio);
    const footfall::Request* request = sender->prepare(door->now_ms(), settled_ms, status);
    if (request == nullptr) {
        return;
    }
    const int64_t utc_ms = wall_clock.is_set() ? wall_clock.utc_ms(door->now_ms()) : 0;
    const footfall::Answer answer = ingest.post(*request, static_cast<time_t>(utc_ms / 1000));
    pump();
    const footfall::Outcome outcome = sender->take(answer, door->now_ms());
    const uint32_t now_ms = millis();
    if (answer.status > 0) {
        answered_ms = now_ms;
    }
    if (outcome == footfall::Outcome::kAcknowledged || outcome == footfall::Outcome::kPartly) {
        delivered_ms = now_ms;
    }
    is_refused = outcome == footfall::Outcome::kUnauthorised;
    log_line("%s; %lu wait", words_of(outcome), static_cast<unsigned long>(queue.waiting()));
}

void show_led(uint32_t now_ms) {
    footfall::LedFacts facts;
    facts.portal_open = portal.is_open();
    facts.queue_trouble = queue_trouble;
    facts.beam_blocked_s = static_cast<uint32_t>(door->uncounted_ms() / 1000);
    facts.refused = is_refused;
    facts.wifi_joined = radio.is_up();
    facts.delivered_age_ms = now_ms - delivered_ms;
    digitalWrite(kLedPin, footfall::led_is_lit(footfall::led_code(facts), now_ms) ? LOW : HIGH);
}

void print_beams() {
    static bool outer = false;
    static bool inner = false;
    const bool outer_now = door->is_interrupted(footfall::Beam::kOuter);
    const bool inner_now = door->is_interrupted(footfall::Beam::kInner);
    if (prints_beams && (outer_now != outer || inner_now != inner)) {
        Serial.printf("%10lu ms  outer %c  inner %c\n", static_cast<unsigned long>(door->now_ms()), outer_now ? '#' : '.',
                      inner_now ? '#' : '.');
    }
    outer = outer_now;
    inner = inner_now;
}

void tell_status() {
    if (door == nullptr) {
        Serial.println("Not set up yet: nothing is counted. show tells the settings, save what is missing.");
        return;
    }
    print_status(report_status(*door, queue, radio), wall_clock, *door);
}

void tell_beams(bool on) { prints_beams = on; }

bool format_queue() { return queue.format(door != nullptr ? door->now_ms() : 0); }

SerialCommands commands(store, portal, {tell_status, tell_beams, format_queue});

void start_counting() {
    footfall::BeamSettings beams;
    beams.spacing_mm = settings.spacing_mm;
    beams.swap = settings.swap;
    beams.interrupted_is_high = settings.blocked_high;
    start_beam_interrupts(settings);
    door = new footfall::Door(beam_edges(), beams);
    door->start(read_beams(), micros());
    switch (queue.open(door->now_ms())) {
        case footfall::Opening::kKept:
            log_line("queue opened: %lu crossings wait", static_cast<unsigned long>(queue.waiting()));
            break;
        case footfall::Opening::kFormatted:
            log_line("queue formatted: a new stream");
            break;
        case footfall::Opening::kTorn:
            log_line("warning: the newest part of the queue was destroyed; a new stream begins, the rest is kept");
            break;
        case footfall::Opening::kFailed:
            queue_trouble = true;
            log_line("error: the flash memory fails: nothing can be kept, change the board");
            break;
    }
    // From here on edges are taken whatever the loop waits for: the core runs this at every yield and delay.
    schedule_recurrent_function_us([]() { pump(); return true; }, kPumpUs);
}

void start_sending() {
    footfall::parse_key(settings.key, key);
    ingest.begin(settings, store.load_ca());
    sender = new footfall::Sender(queue, wall_clock, noise, board_hmac, settings.counter, key, footfall::Sender::Habits());
    settimeofday_cb([](bool from_sntp) { network_time_came = network_time_came || from_sntp; });
    if (settings.ntp[0] != '\0') {
        configTime("UTC0", settings.ntp);  // only UTC is ever sent; a site's zone is the server's business
    }
    radio.begin(settings);
    begin_updates(settings);
}

// Runs in the timer's context, so it still runs where a library waits for ever and feeds the core's own watchdog.
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
    // While the set-up network is open, searching for another one would throw its guests out.
    if (!portal.is_open() || radio.is_up()) {
        if (radio.update(now_ms - answered_ms, now_ms)) {
            sender->hurry(door->now_ms());
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
        log_line("error: the flash memory fails: change the board");
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
    if (door != nullptr) {
        count(now_ms);
    } else {
        digitalWrite(kLedPin, footfall::led_is_lit(footfall::LedCode::kPortal, now_ms) ? LOW : HIGH);
    }
    portal.serve(now_ms);
    commands.serve();
    if (button.update(digitalRead(kButtonPin) == LOW, now_ms)) {
        portal.open(settings, store.load_ca().length() > 0, door == nullptr);
    }
    delay(1);  // lets the radio work, and the processor rest
}
