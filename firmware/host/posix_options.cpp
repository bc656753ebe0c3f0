#include "posix_options.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char kCounterHelp[] =
    "Usage: counter --counter ID --key-file FILE --url URL --queue FILE (--trace FILE|- | --crossings FILE) [OPTIONS]\n"
    "\n"
    "A counter as a process: the firmware's core reads a trace instead of pins and sends real signed batches. You may\n"
    "kill it at any moment and start it again with the same queue. Exit status 0: the trace has ended and the server\n"
    "has acknowledged all of it; 1: a file failed; 2: usage error.\n"
    "\n"
    "  --counter ID          the counter's id\n"
    "  --key-file FILE       file with its key, whsec_...\n"
    "  --url URL             address of ingest, http://127.0.0.1:8080\n"
    "  --queue FILE          file for the queue; created if it is missing\n"
    "  --trace FILE          lines t_ms,outer,inner (1: interrupted); - reads stdin to its end first\n"
    "  --crossings FILE      instead of a trace: lines t_ms,entry or t_ms,exit, in order\n"
    "  --spacing-mm N        distance between the beams (default 100)\n"
    "  --start UTC           time 0 of the trace, 2026-05-04T08:00:00Z or ms since 1970 (default: the start of the\n"
    "                        process)\n"
    "  --speed N             times real time (default 1); 0: jump from event to event without waiting\n"
    "  --began MS            real ms since 1970 of the trace's time 0 (default: the start of the process); what\n"
    "                        passed before the process started was missed and is a gap\n"
    "  --resume-trace        continue after the last crossing in the queue, as if nothing had been missed\n"
    "  --until T_MS          keep counting until then, even if the trace ends before\n"
    "  --heartbeat-s N       longest time between batches (default 50)\n"
    "  --linger-ms N         how long a crossing waits for others (default 2000)\n"
    "  --batch-limit N       most crossings in a batch, up to 50 (default 50)\n"
    "  --timeout-s N         for one request (default 15)\n"
    "  --sectors N           size of the queue in sectors of 4096 bytes, 4 to 128 (default 128)\n"
    "\n"
    "Faults, on the trace's clock:\n"
    "  --clock-step T_MS:BY_MS   at T_MS the network's time steps by BY_MS; may be repeated\n"
    "  --no-network-time     the network has no time; only the server's Date sets the clock\n"
    "  --network-time-from T_MS  the network has no time before T_MS\n"
    "  --no-date             ignore the server's Date\n"
    "  --die-after BYTES     the power fails while the byte after that many is written\n";

namespace {

bool parse_integer(const char* text, int64_t least, int64_t most, int64_t& value) {
    char* end = nullptr;
    errno = 0;
    value = strtoll(text, &end, 10);
    return end != text && *end == 0 && errno == 0 && value >= least && value <= most;
}

bool parse_instant(const char* text, int64_t& utc_ms) {
    if (parse_integer(text, 0, INT64_MAX / 2, utc_ms)) {
        return true;
    }
    tm parts = {};
    const char* end = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    utc_ms = end == nullptr ? 0 : static_cast<int64_t>(timegm(&parts)) * 1000;
    return end != nullptr && strcmp(end, "Z") == 0;
}

bool parse_step(const char* text, ClockStep& step) {
    const char* colon = strchr(text, ':');
    const std::string at = colon == nullptr ? "" : std::string(text, colon);
    return colon != nullptr && parse_integer(at.c_str(), 0, INT64_MAX / 2, step.at_ms) &&
           parse_integer(colon + 1, INT64_MIN / 2, INT64_MAX / 2, step.by_ms);
}

bool read_key(const char* path, footfall::SigningKey& key) {
    FILE* file = fopen(path, "r");
    char text[128] = {};
    if (file == nullptr) {
        return false;
    }
    const size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    for (size_t i = size; i > 0 && isspace(static_cast<unsigned char>(text[i - 1])); i--) {
        text[i - 1] = 0;
    }
    return footfall::parse_key(text, key);
}

// Takes the option *name* with its *value*. False if the value is wrong; *known*: whether the option exists.
bool take(const std::string& name, const char* value, CounterOptions& options, bool& known) {
    struct Whole {
        const char* name;
        int64_t least, most, unit;
        int64_t* target;
    };
    int64_t spacing_mm = options.spacing_mm;
    int64_t limit = options.batch_limit;
    int64_t sectors = options.sectors;
    const Whole wholes[] = {
        {"--spacing-mm", 40, 1000, 1, &spacing_mm},
        {"--heartbeat-s", 1, 86'400, 1000, &options.heartbeat_ms},
        {"--linger-ms", 0, 3'600'000, 1, &options.linger_ms},
        {"--batch-limit", 1, footfall::kBatchLimit, 1, &limit},
        {"--timeout-s", 1, 600, 1000, &options.timeout_ms},
        {"--sectors", 4, footfall::RecordRing::kMaxSectors, 1, &sectors},
        {"--until", 0, INT64_MAX / 2, 1, &options.until_ms},
        {"--began", 0, INT64_MAX / 2, 1, &options.began_real_ms},
        {"--network-time-from", 0, INT64_MAX / 2, 1, &options.network_time_from_ms},
        {"--die-after", 0, INT64_MAX / 2, 1, &options.die_after_bytes},
    };
    known = true;
    for (const Whole& whole : wholes) {
        int64_t number = 0;
        if (name == whole.name) {
            const bool is_right = parse_integer(value, whole.least, whole.most, number);
            *whole.target = number * whole.unit;
            options.spacing_mm = static_cast<uint32_t>(spacing_mm);
            options.batch_limit = static_cast<uint32_t>(limit);
            options.sectors = static_cast<uint32_t>(sectors);
            options.has_began = options.has_began || name == "--began";
            return is_right;
        }
    }
    if (name == "--counter" || name == "--trace" || name == "--crossings" || name == "--queue") {
        std::string& target = name == "--counter"     ? options.counter
                              : name == "--trace"     ? options.trace
                              : name == "--crossings" ? options.crossings
                                                      : options.queue;
        target = value;
        return !target.empty() && (name != "--counter" || target.size() <= footfall::kLongestName);
    }
    if (name == "--key-file") {
        return read_key(value, options.key);
    }
    if (name == "--url") {
        return parse_url(value, options.url);
    }
    if (name == "--start") {
        options.has_start = true;
        return parse_instant(value, options.start_utc_ms);
    }
    if (name == "--speed") {
        char* end = nullptr;
        options.speed = strtod(value, &end);
        return end != value && *end == 0 && options.speed >= 0 && options.speed <= 1e6;
    }
    if (name == "--clock-step") {
        options.steps.push_back({});
        return parse_step(value, options.steps.back());
    }
    known = false;
    return false;
}

bool take_flag(const std::string& name, CounterOptions& options) {
    options.help = options.help || name == "--help";
    options.resume_trace = options.resume_trace || name == "--resume-trace";
    options.has_network_time = options.has_network_time && name != "--no-network-time";
    options.hears_date = options.hears_date && name != "--no-date";
    return name == "--help" || name == "--resume-trace" || name == "--no-network-time" || name == "--no-date";
}

}  // namespace

std::string parse_counter_options(int count, char** words, CounterOptions& options) {
    for (int i = 1; i < count; i++) {
        const std::string name = words[i];
        if (take_flag(name, options)) {
            continue;
        }
        bool known = false;
        const char* value = i + 1 < count ? words[i + 1] : "";
        if (!take(name, value, options, known)) {
            return known ? "invalid value for " + name + ": " + value : "unknown option " + name + "; see --help";
        }
        i++;
    }
    const bool has_one_input = options.trace.empty() != options.crossings.empty();
    const bool is_complete = !options.counter.empty() && options.key.size > 0 && !options.url.host.empty() &&
                             !options.queue.empty() && has_one_input;
    if (options.help || is_complete) {
        return "";
    }
    return "missing options: --counter, --key-file, --url, --queue, and --trace or --crossings are required";
}
