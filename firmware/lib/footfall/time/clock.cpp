#include "time/clock.h"

#include <string.h>

namespace footfall {

ClockChange Clock::set_from_network(int64_t utc_ms, int64_t now_ms) {
    const int64_t offset_ms = utc_ms - now_ms;
    if (is_set_) {
        const int64_t off_ms = offset_ms - offset_ms_;
        const bool is_coarse = off_ms > kCoarseMs || off_ms < -kCoarseMs;
        if (is_coarse && has_server_time_ && now_ms - server_time_ms_ < kTrustMs) {
            return ClockChange::kNone;
        }
    }
    return adopt(offset_ms);
}

ClockChange Clock::set_from_server(int64_t utc_s, int64_t now_ms) {
    const int64_t offset_ms = utc_s * 1000 + 500 - now_ms;  // the middle of that second
    has_server_time_ = true;
    server_time_ms_ = now_ms;
    const int64_t off_ms = offset_ms - offset_ms_;
    if (is_set_ && off_ms <= kCoarseMs && off_ms >= -kCoarseMs) {
        return ClockChange::kNone;
    }
    return adopt(offset_ms);
}

ClockChange Clock::adopt(int64_t offset_ms) {
    const int64_t off_ms = offset_ms - offset_ms_;
    const bool was_set = is_set_;
    is_set_ = true;
    offset_ms_ = offset_ms;
    if (!was_set || off_ms > kCoarseMs || off_ms < -kCoarseMs) {
        return ClockChange::kStep;
    }
    return off_ms == 0 ? ClockChange::kNone : ClockChange::kFine;
}

static constexpr int64_t kLongestWaitS = 3600;
static constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static constexpr char kDays[] = "MonTueWedThuFriSatSun";

// Returns the days from 1970-01-01 to a Gregorian date. Years start in March here, so that the leap day comes last.
static int64_t days_from_epoch(int64_t year, int64_t month, int64_t day) {
    const int64_t years = month > 2 ? year : year - 1;
    const int64_t months = (month + 9) % 12;
    return years * 365 + years / 4 - years / 100 + years / 400 + (months * 153 + 2) / 5 + day - 1 - 719468;
}

// Takes exactly *digits* digits from *text*; -1 if there are fewer.
static int64_t take_number(const char*& text, int digits) {
    int64_t value = 0;
    for (int i = 0; i < digits; i++, text++) {
        if (*text < '0' || *text > '9') {
            return -1;
        }
        value = value * 10 + (*text - '0');
    }
    return value;
}

static bool take_text(const char*& text, const char* expected) {
    const size_t size = strlen(expected);
    const bool is_there = strncmp(text, expected, size) == 0;
    text += is_there ? size : 0;
    return is_there;
}

// Takes one of the three-letter *names* and returns its number, from 1 on; 0 if there is none.
static int64_t take_name(const char*& text, const char* names) {
    for (int64_t i = 0; names[i * 3] != 0; i++) {
        if (strncmp(text, names + i * 3, 3) == 0) {
            text += 3;
            return i + 1;
        }
    }
    return 0;
}

bool parse_http_date(const char* text, int64_t& utc_s) {
    if (text == nullptr || take_name(text, kDays) == 0 || !take_text(text, ", ")) {
        return false;
    }
    const int64_t day = take_number(text, 2);
    const bool has_month = take_text(text, " ");
    const int64_t month = has_month ? take_name(text, kMonths) : 0;
    if (day < 1 || day > 31 || month == 0 || !take_text(text, " ")) {
        return false;
    }
    const int64_t year = take_number(text, 4);
    if (year < 1970 || !take_text(text, " ")) {
        return false;
    }
    const int64_t hour = take_number(text, 2);
    const int64_t minute = take_text(text, ":") ? take_number(text, 2) : -1;
    const int64_t second = take_text(text, ":") ? take_number(text, 2) : -1;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 || !take_text(text, " GMT") ||
        *text != 0) {
        return false;
    }
    utc_s = ((days_from_epoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    return true;
}

bool parse_retry_after(const char* text, int64_t now_utc_s, int64_t& wait_s) {
    if (text == nullptr || *text == 0) {
        return false;
    }
    int64_t moment_s = 0;
    if (parse_http_date(text, moment_s)) {
        wait_s = moment_s - now_utc_s;
    } else {
        wait_s = 0;
        for (; *text; text++) {
            if (*text < '0' || *text > '9') {
                return false;
            }
            wait_s = wait_s > kLongestWaitS ? wait_s : wait_s * 10 + (*text - '0');
        }
    }
    wait_s = wait_s < 0 ? 0 : wait_s > kLongestWaitS ? kLongestWaitS : wait_s;
    return true;
}

}  // namespace footfall
