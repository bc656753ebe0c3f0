// Reads a beam trace on stdin and writes its crossings: the counter's detector with a file instead of pins.
//
//     in:  t_ms,outer,inner     1: interrupted; one line per change; times may have decimals and must not decrease
//     out: t_ms,entry           or t_ms,exit; each flushed at once
//
// Ignores a header, empty lines, lines that start with # and Windows line ends. A beam that the first line shows
// interrupted at time 0 is unknown, as at power-up.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detector/beams.h"

namespace {

using footfall::Beams;
using footfall::BeamSettings;
using footfall::Crossing;
using footfall::Direction;
using footfall::Levels;

constexpr int64_t kLongestStep = 1'000'000'000;  // us: the longest time between two updates of the detector
constexpr int64_t kLatest = 4'000'000'000'000'000;  // us: the year 2096
constexpr int kWrongUse = 2;

const char kHelp[] =
    "Usage: trace [OPTIONS] < TRACE\n"
    "\n"
    "Reads lines t_ms,outer,inner (1: interrupted, one line per change) and writes t_ms,entry or t_ms,exit for each\n"
    "crossing. Writes the number of aborted passes to stderr at the end. Exit status 2: the trace is invalid.\n"
    "\n"
    "  --spacing-mm N  distance between the beams, 40 to 1000 (default 100)\n"
    "  --swap          the column outer is the inner beam\n"
    "  --invert        0 means interrupted\n"
    "  --help          show this help\n";

struct Options {
    BeamSettings beams;
    bool help = false;
};

struct Change {
    int64_t at_us;
    Levels levels;
};

// Parses decimal milliseconds into microseconds and moves *text* past them.
bool parse_ms(const char*& text, int64_t& us) {
    const bool negative = *text == '-';
    if (negative) ++text;
    int64_t value = 0;
    const char* start = text;
    for (; *text >= '0' && *text <= '9'; ++text) {
        value = value * 10 + (*text - '0');
        if (value > kLatest / 1000) return false;
    }
    if (text == start) return false;
    value *= 1000;
    if (*text == '.') {
        ++text;
        for (int64_t unit = 100; *text >= '0' && *text <= '9'; ++text, unit /= 10) value += unit * (*text - '0');
    }
    us = negative ? -value : value;
    return true;
}

void skip_blanks(const char*& text) {
    while (*text == ' ' || *text == '\t') ++text;
}

bool parse_level(const char*& text, bool& level) {
    skip_blanks(text);
    if (*text != ',') return false;
    ++text;
    skip_blanks(text);
    if (*text != '0' && *text != '1') return false;
    level = *text == '1';
    ++text;
    return true;
}

bool parse_change(const char* text, Change& change) {
    skip_blanks(text);
    if (!parse_ms(text, change.at_us)) return false;
    if (!parse_level(text, change.levels.outer) || !parse_level(text, change.levels.inner)) return false;
    skip_blanks(text);
    return *text == '\0';
}

bool is_name(char letter) { return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z'); }

// The detector on the trace's clock.
class Player {
   public:
    explicit Player(const BeamSettings& settings)
        : beams_(settings), clear_{!settings.interrupted_is_high, !settings.interrupted_is_high} {}

    void play(const Change& change) {
        if (!started_) begin(change);
        advance(change.at_us);
        beams_.update(change.levels, wrapped());
        print_crossings();
    }

    int64_t now_us() const { return now_us_; }
    bool started() const { return started_; }

    uint32_t finish() {
        beams_.finish(wrapped());
        print_crossings();
        return beams_.aborted();
    }

   private:
    void begin(const Change& change) {
        started_ = true;
        now_us_ = change.at_us;
        const bool outer = change.levels.outer != clear_.outer;
        const bool inner = change.levels.inner != clear_.inner;
        const bool is_before = change.at_us == 0 && (outer || inner);
        beams_.start(is_before ? change.levels : clear_, wrapped());
    }

    void advance(int64_t at_us) {
        while (at_us - now_us_ > kLongestStep) {
            now_us_ += kLongestStep;
            beams_.update(wrapped());
            print_crossings();
        }
        now_us_ = at_us;
    }

    uint32_t wrapped() const { return static_cast<uint32_t>(now_us_); }

    void print_crossings() {
        Crossing crossing = {};
        while (beams_.take(crossing)) {
            const int64_t at_us = now_us_ - static_cast<int32_t>(wrapped() - crossing.at_us);
            const int64_t at_ms = (at_us >= 0 ? at_us + 500 : at_us - 500) / 1000;
            printf("%" PRId64 ",%s\n", at_ms, crossing.direction == Direction::kEntry ? "entry" : "exit");
            fflush(stdout);
        }
    }

    Beams beams_;
    Levels clear_;
    int64_t now_us_ = 0;
    bool started_ = false;
};

bool parse_spacing(const char* text, uint32_t& spacing_mm) {
    char* end = nullptr;
    const unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value < 40 || value > 1000) return false;
    spacing_mm = static_cast<uint32_t>(value);
    return true;
}

// Returns an error message, or nullptr.
const char* parse_options(int count, char** words, Options& options) {
    options.beams.interrupted_is_high = true;
    for (int k = 1; k < count; ++k) {
        const char* word = words[k];
        const char* spacing = nullptr;
        if (strcmp(word, "--help") == 0) {
            options.help = true;
        } else if (strcmp(word, "--swap") == 0) {
            options.beams.swap = true;
        } else if (strcmp(word, "--invert") == 0) {
            options.beams.interrupted_is_high = false;
        } else if (strncmp(word, "--spacing-mm=", 13) == 0) {
            spacing = word + 13;
        } else if (strcmp(word, "--spacing-mm") == 0) {
            spacing = k + 1 < count ? words[++k] : "";
        } else {
            return "unknown option; see --help";
        }
        if (spacing != nullptr && !parse_spacing(spacing, options.beams.spacing_mm)) {
            return "--spacing-mm takes millimetres, 40 to 1000";
        }
    }
    return nullptr;
}

int refuse(uint64_t line_number, const char* why) {
    fprintf(stderr, "trace: line %" PRIu64 ": %s\n", line_number, why);
    return kWrongUse;
}

// Returns false if *line* is too long for a change.
bool strip_end(char* line, size_t size) {
    size_t length = strlen(line);
    if (length + 1 == size && line[length - 1] != '\n') return false;
    while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r' || line[length - 1] == ' ')) {
        line[--length] = '\0';
    }
    return true;
}

int play(Player& player) {
    char line[128];
    uint64_t number = 0;
    bool seen = false;
    while (fgets(line, sizeof line, stdin) != nullptr) {
        ++number;
        if (!strip_end(line, sizeof line)) return refuse(number, "too long for t_ms,outer,inner");
        const char* text = strncmp(line, "\xEF\xBB\xBF", 3) == 0 ? line + 3 : line;
        const bool is_header = !seen && is_name(*text);
        if (*text == '\0' || *text == '#' || is_header) continue;
        seen = true;
        Change change;
        if (!parse_change(text, change)) return refuse(number, "expected t_ms,outer,inner such as 1250,1,0");
        if (player.started() && change.at_us < player.now_us()) return refuse(number, "time goes back");
        player.play(change);
    }
    return 0;
}

}  // namespace

int main(int count, char** words) {
    Options options;
    const char* complaint = parse_options(count, words, options);
    if (complaint != nullptr) {
        fprintf(stderr, "trace: %s\n", complaint);
        return kWrongUse;
    }
    if (options.help) {
        fputs(kHelp, stdout);
        return 0;
    }
    Player player(options.beams);
    const int status = play(player);
    fprintf(stderr, "aborted: %" PRIu32 "\n", player.finish());
    return status;
}
