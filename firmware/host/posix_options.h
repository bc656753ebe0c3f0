// The command line of `counter`.
#pragma once

#include <stdint.h>

#include <string>
#include <vector>

#include "sending/signature.h"

#include "posix_http.h"

struct ClockStep {
    int64_t at_ms;  // on the trace's clock
    int64_t by_ms;
};

struct CounterOptions {
    std::string counter;
    std::string trace;      // a file of t_ms,outer,inner; "-": stdin
    std::string crossings;  // or a file of t_ms,entry|exit
    std::string queue;
    HttpUrl url;
    footfall::SigningKey key = {};
    uint32_t spacing_mm = 100;
    double speed = 1;          // 0: jump from event to event
    bool has_start = false;    // false: the trace's time 0 is the start of the process
    int64_t start_utc_ms = 0;  // of the trace's time 0
    bool has_began = false;
    int64_t began_real_ms = 0;  // real instant at which the trace's time was 0
    bool resume_trace = false;
    int64_t until_ms = 0;  // keeps counting at least until then
    int64_t heartbeat_ms = 50'000;
    int64_t linger_ms = 2'000;
    uint32_t batch_limit = footfall::kBatchLimit;
    int64_t timeout_ms = 15'000;
    uint32_t sectors = 128;
    bool has_network_time = true;
    int64_t network_time_from_ms = INT64_MIN;
    bool hears_date = true;
    std::vector<ClockStep> steps;
    int64_t die_after_bytes = -1;
    bool help = false;
};

extern const char kCounterHelp[];

// Parses the command line. Returns an error message, or an empty string.
std::string parse_counter_options(int count, char** words, CounterOptions& options);
