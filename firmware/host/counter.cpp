// A counter as a process: the firmware's core with a trace for pins, a file for flash and sockets for a network.
//
//     trace --> CrossingSource --> Queue (file) --> Sender --> POST
//                 all on the trace's clock; UTC = --start + the trace's ms
//
// The simulated world may be in the past. The counter still signs with the server's time: its own time, shifted by the
// difference of both worlds. The Date it receives is shifted back. So a clock that is wrong in one world is equally
// wrong in the other. Prints one line per event.
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <algorithm>

#include "detector/crossing_source.h"
#include "sending/sender.h"
#include "time/clock.h"

#include "posix_file_device.h"
#include "posix_hmac.h"
#include "posix_http.h"
#include "posix_input.h"
#include "posix_options.h"
#include "posix_world.h"

namespace {

using footfall::ClockChange;
using footfall::Outcome;
using footfall::Queue;

constexpr int kTrouble = 1;
constexpr int kWrongUse = 2;
constexpr int64_t kNetworkTimeMs = 60 * 1000;  // interval of the network's time
constexpr int64_t kAfterwardsMs = 12 * 1000;   // after this time the detector has decided the whole trace
constexpr int64_t kLongestPumpUs = 1'000'000'000;
constexpr char kFirmware[] = "host-1";

class SystemRandom : public footfall::RandomSource {
   public:
    uint32_t next() override {
        uint32_t value = 0;
        while (getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value)) {
        }
        return value;
    }
};

class Program {
   public:
    Program(const CounterOptions& options, World& world, footfall::BlockDevice& device, std::vector<Input> inputs)
        : options_(options),
          world_(world),
          inputs_(std::move(inputs)),
          queue_(device, random_),
          sender_(queue_, clock_, random_, posix_hmac, options.counter.c_str(), options.key,
                  {options.heartbeat_ms, options.linger_ms, options.batch_limit}),
          source_(edges_, {options.spacing_mm, false, true}) {
        const int64_t last_ms = inputs_.empty() ? 0 : inputs_.back().at_us / 1000;
        end_ms_ = std::max(last_ms + (options_.trace.empty() ? 1 : kAfterwardsMs), options_.until_ms);
    }

    bool open(int64_t since_ms, bool resumes) {
        since_ms_ = since_ms;
        const footfall::Opening opening = queue_.open(since_ms);
        char stream[2 * footfall::kStreamBytes + 1];
        for (unsigned i = 0; i < footfall::kStreamBytes; i++) {
            snprintf(stream + 2 * i, 3, "%02x", queue_.stream().bytes[i]);
        }
        say("queue %s: stream=%s boot=%u waiting=%" PRIu32 " next_seq=%" PRIu32 " since_ms=%" PRId64, describe(opening),
            stream, queue_.boot(), queue_.waiting(), queue_.next_seq(), since_ms);
        begin(resumes ? 0 : since_ms);
        return opening != footfall::Opening::kFailed;
    }

    int run() {
        for (;;) {
            const int64_t now_ms = world_.now_ms();
            play_until(now_ms);
            set_from_network(now_ms);
            queue_.note_alive(settled_ms());
            if (sender_.is_due(now_ms)) {
                if (!exchange(now_ms)) {
                    return kTrouble;
                }
                continue;
            }
            if (now_ms >= end_ms_ && sender_.failures() == 0) {
                if (sender_.is_finished(settled_ms())) {
                    say("done: waiting=0 dropped=%" PRIu32 " next_seq=%" PRIu32 " aborted=%" PRIu32 " batches=%" PRIu32
                        " again=%" PRIu32,
                        queue_.dropped(), queue_.next_seq(), source_.aborted(), acknowledged_,
                        attempts_ - acknowledged_);
                    return 0;
                }
                sender_.send_now(now_ms);
                continue;
            }
            world_.wait_until(next_event_ms(now_ms), sender_.failures() > 0);
        }
    }

   private:
    [[gnu::format(printf, 1, 2)]] static void say(const char* format, ...) {
        va_list values;
        va_start(values, format);
        vprintf(format, values);
        va_end(values);
        putchar('\n');
        fflush(stdout);
    }

    // Starts the detector at *at_ms* and skips earlier input.
    void begin(int64_t at_ms) {
        while (next_ < inputs_.size() && inputs_[next_].at_us < at_ms * 1000) {
            levels_ = {inputs_[next_].outer, inputs_[next_].inner};
            next_++;
        }
        pumped_us_ = at_ms * 1000;
        source_.start(levels_, static_cast<uint32_t>(pumped_us_));
        base_ms_ = at_ms - source_.now_ms();
        breaks_seen_ = source_.breaks();
    }

    void play_until(int64_t now_ms) {
        for (; next_ < inputs_.size() && inputs_[next_].at_us <= now_ms * 1000; next_++) {
            const Input& input = inputs_[next_];
            if (input.direction != 0) {
                keep(input.direction, input.at_us / 1000);
                continue;
            }
            pump_until(input.at_us);
            levels_ = {input.outer, input.inner};
            edges_.push(static_cast<uint32_t>(input.at_us), levels_);
            pump();
        }
        played_ms_ = std::max(played_ms_, now_ms);
        if (!options_.trace.empty()) {
            pump_until(now_ms * 1000);
        }
    }

    void pump_until(int64_t at_us) {
        while (pumped_us_ < at_us) {
            pumped_us_ = std::min(at_us, pumped_us_ + kLongestPumpUs);
            pump();
        }
    }

    void pump() {
        source_.pump(levels_, static_cast<uint32_t>(pumped_us_));
        footfall::DetectedCrossing crossing;
        while (source_.take(crossing)) {
            keep(static_cast<int8_t>(crossing.direction), crossing.at_ms + base_ms_);
        }
        note_breaks();
    }

    void keep(int8_t direction, int64_t at_ms) {
        if (at_ms < since_ms_) {
            return;  // the queue already has it, or it was missed
        }
        const char* words = direction > 0 ? "entry" : "exit";
        if (queue_.append(direction, at_ms)) {
            sender_.notice_crossing(world_.now_ms());
            say("crossing seq=%" PRIu32 " t_ms=%" PRId64 " %s", queue_.next_seq() - 1, at_ms, words);
        } else {
            say("error: crossing lost: the queue is full or its file failed; t_ms=%" PRId64 " %s", at_ms, words);
        }
    }

    // Reports breaks in counting to the queue, so that no span covers them.
    void note_breaks() {
        const bool went_on = source_.breaks() != breaks_seen_;
        if (!is_paused_ && (went_on || !source_.is_counting())) {
            is_paused_ = true;
            queue_.pause(std::max(source_.counted_until_ms() + base_ms_, since_ms_));
        }
        if (went_on) {
            breaks_seen_ = source_.breaks();
            is_paused_ = false;
            queue_.resume(std::max(source_.counting_since_ms() + base_ms_, since_ms_));
            source_.note_breaks_reported();
        }
    }

    int64_t settled_ms() const {
        const int64_t settled_ms = options_.trace.empty() ? played_ms_ : source_.settled_ms() + base_ms_;
        return std::min(std::max(settled_ms, since_ms_), std::max(end_ms_, since_ms_));
    }

    void set_from_network(int64_t now_ms) {
        if (!options_.has_network_time || now_ms < options_.network_time_from_ms || now_ms < network_due_ms_) {
            return;
        }
        int64_t error_ms = 0;
        network_due_ms_ = now_ms + kNetworkTimeMs;
        for (const ClockStep& step : options_.steps) {
            error_ms += step.at_ms <= now_ms ? step.by_ms : 0;
            network_due_ms_ = step.at_ms > now_ms ? std::min(network_due_ms_, step.at_ms) : network_due_ms_;
        }
        const ClockChange change = clock_.set_from_network(world_.utc_ms(now_ms) + error_ms, now_ms);
        if (change != ClockChange::kNone) {
            queue_.note_offset(clock_.offset_ms(), change == ClockChange::kStep);
            say("clock %s from the network: utc_ms=%" PRId64, change == ClockChange::kStep ? "set" : "corrected",
                clock_.utc_ms(now_ms));
        }
    }

    bool exchange(int64_t now_ms) {
        sender_.set_signing_shift_s(world_.behind_s(now_ms));
        footfall::Status status;
        status.firmware = kFirmware;
        status.uptime_s = (now_ms - since_ms_) / 1000;
        status.aborted = source_.aborted();
        status.outer_blocked_s = source_.blocked_s(footfall::Beam::kOuter);
        status.inner_blocked_s = source_.blocked_s(footfall::Beam::kInner);
        const footfall::Request* request = sender_.prepare(now_ms, settled_ms(), status);
        if (request == nullptr) {
            say("error: the batch does not fit into its buffer");
            return false;
        }
        const HttpReply reply = post(options_.url, *request, options_.timeout_ms);
        const int64_t after_ms = world_.now_ms();
        play_until(after_ms);
        const std::string date = options_.hears_date ? shifted_date(reply.date, after_ms) : "";
        const Outcome outcome = sender_.take(
            {reply.status, reply.body.c_str(), reply.body.size(), date.c_str(), reply.retry_after.c_str()}, after_ms);
        attempts_++;
        acknowledged_ += outcome == Outcome::kAcknowledged ? 1 : 0;
        if (outcome != Outcome::kAcknowledged || queue_.waiting() != printed_waiting_) {
            say("batch %s: status=%d waiting=%" PRIu32, describe(outcome), reply.status, queue_.waiting());
            printed_waiting_ = queue_.waiting();
        }
        return true;
    }

    // Moves the server's Date into the simulated world.
    std::string shifted_date(const std::string& date, int64_t now_ms) const {
        int64_t utc_s = 0;
        if (!footfall::parse_http_date(date.c_str(), utc_s)) {
            return "";
        }
        const time_t moved_s = static_cast<time_t>(utc_s - world_.behind_s(now_ms));
        tm parts = {};
        char text[64];
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&moved_s, &parts));
        return text;
    }

    int64_t next_event_ms(int64_t now_ms) const {
        int64_t next_ms = std::min(sender_.due_ms(), now_ms < end_ms_ ? end_ms_ : INT64_MAX);
        if (next_ < inputs_.size()) {
            next_ms = std::min(next_ms, inputs_[next_].at_us / 1000 + 1);
        }
        if (options_.has_network_time) {
            next_ms = std::min(next_ms, std::max(network_due_ms_, options_.network_time_from_ms));
        }
        return std::max(next_ms, now_ms + 1);
    }

    const CounterOptions& options_;
    World& world_;
    std::vector<Input> inputs_;
    size_t next_ = 0;
    SystemRandom random_;
    Queue queue_;
    footfall::Clock clock_;
    footfall::Sender sender_;
    footfall::EdgeBuffer edges_;
    footfall::CrossingSource source_;
    footfall::Levels levels_ = {false, false};
    int64_t pumped_us_ = 0;
    int64_t base_ms_ = 0;   // the trace's ms minus the source's
    int64_t since_ms_ = 0;  // counting since
    int64_t played_ms_ = 0;
    int64_t end_ms_ = 0;
    int64_t network_due_ms_ = INT64_MIN;
    uint32_t breaks_seen_ = 0;
    uint32_t printed_waiting_ = 0;
    uint32_t attempts_ = 0;
    uint32_t acknowledged_ = 0;
    bool is_paused_ = false;
};

// Returns where the queue ends on the trace's clock; 0 if it is empty.
int64_t resume_point(footfall::BlockDevice& device) {
    SystemRandom random;
    Queue queue(device, random);
    queue.open(0);
    int64_t at_ms = 0;
    return queue.resume_point(at_ms) ? at_ms : 0;
}

int refuse(const std::string& why) {
    fprintf(stderr, "counter: %s\n", why.c_str());
    return kWrongUse;
}

}  // namespace

int main(int count, char** words) {
    CounterOptions options;
    const std::string wrong = parse_counter_options(count, words, options);
    if (!wrong.empty()) {
        return refuse(wrong);
    }
    if (options.help) {
        fputs(kCounterHelp, stdout);
        return 0;
    }
    std::vector<Input> inputs;
    const bool is_crossings = options.trace.empty();
    const std::string unread = read_inputs(is_crossings ? options.crossings : options.trace, is_crossings, inputs);
    if (!unread.empty()) {
        return refuse(unread);
    }
    FileDevice device(options.sectors);
    if (!device.open(options.queue.c_str())) {
        fprintf(stderr, "counter: %s: %s\n", options.queue.c_str(),
                errno == EWOULDBLOCK ? "another process uses it" : strerror(errno));
        return kTrouble;
    }
    World world(options);
    int64_t since_ms = world.now_ms();
    if (options.resume_trace) {
        since_ms = resume_point(device);
        world.begin_at(since_ms);
    }
    if (options.die_after_bytes >= 0) {
        device.die_after(options.die_after_bytes);
    }
    Program program(options, world, device, std::move(inputs));
    return program.open(since_ms, options.resume_trace) ? program.run() : kTrouble;
}
