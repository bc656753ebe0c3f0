#include "sending/sender.h"

#include <string.h>

namespace footfall {

int64_t Backoff::next_ms() {
    int64_t whole_ms = kFirstMs;
    for (uint32_t i = 0; i < failures_ && whole_ms < kLongestMs; i++) {
        whole_ms *= 2;
    }
    if (whole_ms > kLongestMs) {
        whole_ms = kLongestMs;
    }
    failures_++;
    const int64_t half_ms = whole_ms / 2;
    return half_ms + static_cast<int64_t>(random_.next() % static_cast<uint32_t>(half_ms + 1));
}

// The least time between two refused bodies.
static constexpr int64_t kRefusedPauseMs = 1000;

Sender::Sender(Queue& queue, Clock& clock, RandomSource& random, HmacSha256 hmac, const char* counter,
               const SigningKey& key, const Policy& policy)
    : queue_(queue),
      clock_(clock),
      random_(random),
      hmac_(hmac),
      counter_(counter),
      key_(key),
      policy_(policy),
      backoff_(random),
      limit_(policy.batch_limit) {
    body_[0] = id_[0] = timestamp_[0] = signature_[0] = 0;
}

int64_t Sender::due_ms() const {
    int64_t due_ms = has_batch_ || more_waits_ ? INT64_MIN : heartbeat_due_ms_;
    if (is_lingering_ && linger_due_ms_ < due_ms) {
        due_ms = linger_due_ms_;
    }
    return due_ms > not_before_ms_ ? due_ms : not_before_ms_;
}

bool Sender::is_due(int64_t now_ms) const { return now_ms >= due_ms(); }

void Sender::notice_crossing(int64_t now_ms) {
    if (!is_lingering_) {
        is_lingering_ = true;
        linger_due_ms_ = now_ms + policy_.linger_ms;
    }
}

void Sender::send_now(int64_t now_ms) {
    not_before_ms_ = now_ms;
    more_waits_ = true;
}

const Request* Sender::prepare(int64_t now_ms, int64_t settled_ms, const Status& status) {
    if (!has_batch_ && !build(settled_ms, status)) {
        return nullptr;
    }
    const int64_t utc_s = clock_.is_set() ? clock_.utc_ms(now_ms) / 1000 + signing_shift_s_ : 0;
    JsonWriter timestamp(timestamp_, sizeof timestamp_);
    timestamp.number(utc_s < 0 ? 0 : utc_s);
    timestamp.finish();
    sign(hmac_, key_, id_, timestamp_, body_, body_size_, signature_);
    request_ = {body_, body_size_, id_, timestamp_, signature_};
    return &request_;
}

// Makes a new body. Resends repeat it byte for byte.
bool Sender::build(int64_t settled_ms, const Status& given) {
    Status status = given;
    status.queued = queue_.waiting();
    status.dropped = queue_.dropped();
    is_probe_ = !queue_.next_batch(settled_ms, limit_, batch_);
    body_size_ = is_probe_ ? encode_probe(counter_, queue_.stream(), status, body_, sizeof body_)
                           : encode_batch(counter_, batch_, status, body_, sizeof body_);
    if (body_size_ == 0) {
        return false;  // the id or the firmware version exceeds kLongestName
    }
    if (!is_probe_) {
        queue_.freeze(batch_);
    }
    JsonWriter id(id_, sizeof id_);
    id.raw("msg_");
    for (int i = 0; i < 3; i++) {
        const uint32_t random = random_.next();
        uint8_t bytes[4];
        memcpy(bytes, &random, sizeof bytes);
        id.hex(bytes, sizeof bytes);
    }
    id.finish();
    has_batch_ = true;
    is_lingering_ = false;
    return true;
}

Outcome Sender::take(const Answer& answer, int64_t now_ms) {
    bool judges_batch = false;
    const bool is_error = answer.status != 200 && parse_error(answer.body, answer.body_size, judges_batch);
    switch (answer.status) {
        case 200:
            return take_receipt(answer, now_ms);
        case 401:
            return take_unauthorised(answer, is_error, now_ms);
        case 429:
        case 503: {
            int64_t wait_s = 0;
            if (is_error) {
                set_clock_by_date(answer, now_ms);
            }
            const int64_t now_utc_s = clock_.utc_ms(now_ms) / 1000;
            const int64_t least_ms = backoff_.next_ms();
            const bool is_told = parse_retry_after(answer.retry_after, now_utc_s, wait_s);
            wait(is_told && wait_s * 1000 > least_ms ? wait_s * 1000 : least_ms, now_ms);
            return Outcome::kBusy;
        }
        case 400:
        case 413:
        case 415:
        case 422:
            if (judges_batch) {
                return take_refusal(answer, now_ms);
            }
            break;
        default:
            break;
    }
    if (is_error) {
        set_clock_by_date(answer, now_ms);
    }
    wait(backoff_.next_ms(), now_ms);
    return Outcome::kNotReceived;
}

// The server stored nothing and did not read the body: the next one is built with the times of the clock by then.
Outcome Sender::take_unauthorised(const Answer& answer, bool is_ingest, int64_t now_ms) {
    if (is_ingest) {
        if (!is_probe_) {
            queue_.thaw(batch_);
        }
        has_batch_ = false;
        more_waits_ = true;
        if (set_clock_by_date(answer, now_ms)) {
            return redate(now_ms);
        }
    }
    wait(backoff_.next_ms(), now_ms);
    return Outcome::kUnauthorised;
}

// Returns whether the server's Date changed the clock. Use it only on ingest's own answers: a captive portal's Date may
// be wrong.
bool Sender::set_clock_by_date(const Answer& answer, int64_t now_ms) {
    int64_t utc_s = 0;
    if (!parse_http_date(answer.date, utc_s)) {
        return false;
    }
    const ClockChange change = clock_.set_from_server(utc_s, now_ms);
    if (change == ClockChange::kNone) {
        return false;
    }
    queue_.note_offset(clock_.offset_ms(), change == ClockChange::kStep);
    return true;
}

// The clock was off, and the server stored nothing of the refused body: the next one takes its times from the new
// clock.
Outcome Sender::redate(int64_t now_ms) {
    has_batch_ = false;
    more_waits_ = true;
    if (backoff_.failures() > 0) {
        wait(backoff_.next_ms(), now_ms);  // a server whose Date jumps with each answer must not cause a busy loop
    } else {
        backoff_.next_ms();
    }
    return Outcome::kClockSet;
}

Outcome Sender::take_receipt(const Answer& answer, int64_t now_ms) {
    uint32_t through = 0;
    if (!parse_receipt(answer.body, answer.body_size, through)) {
        wait(backoff_.next_ms(), now_ms);  // a captive portal or a proxy answered, not ingest
        return Outcome::kNotReceived;
    }
    has_batch_ = false;
    if (!is_probe_ && !queue_.acknowledge(batch_, through)) {
        set_clock_by_date(answer, now_ms);
        more_waits_ = true;
        wait(backoff_.next_ms(), now_ms);
        return Outcome::kPartly;
    }
    set_clock_by_date(answer, now_ms);  // only now: the acknowledged crossings keep their times
    if (is_probe_) {
        more_waits_ = true;
        wait(clock_.is_set() ? 0 : backoff_.next_ms(), now_ms);
        return Outcome::kAcknowledged;
    }
    limit_ = limit_ * 2 < policy_.batch_limit ? limit_ * 2 : policy_.batch_limit;
    succeed(now_ms);
    return Outcome::kAcknowledged;
}

// The server read the body and stored nothing of it. A crossing is dropped only if no other time can save it.
Outcome Sender::take_refusal(const Answer& answer, int64_t now_ms) {
    has_batch_ = false;
    more_waits_ = true;
    const bool is_redated = !is_probe_ && queue_.thaw(batch_);
    const bool was_clock_set = set_clock_by_date(answer, now_ms);
    if (is_probe_ || was_clock_set) {
        return redate(now_ms);
    }
    if (is_redated) {
        return Outcome::kRedated;
    }
    if (batch_.count > 1) {
        limit_ = batch_.count / 2;
        return Outcome::kHalved;
    }
    if (queue_.undate(batch_)) {
        return Outcome::kRedated;
    }
    queue_.drop(batch_);
    const bool was_crossing = batch_.count > 0;
    succeed(now_ms);
    wait(kRefusedPauseMs, now_ms);
    return was_crossing ? Outcome::kDropped : Outcome::kHeartbeatRefused;
}

void Sender::succeed(int64_t now_ms) {
    backoff_.reset();
    not_before_ms_ = INT64_MIN;
    more_waits_ = !batch_.live;
    heartbeat_due_ms_ = now_ms + policy_.heartbeat_ms;
    if (batch_.live) {
        has_covered_ = true;
        covered_ms_ = batch_.after.since_ms;
    }
}

void Sender::wait(int64_t delay_ms, int64_t now_ms) { not_before_ms_ = now_ms + delay_ms; }

bool Sender::is_finished(int64_t settled_ms) const {
    return !has_batch_ && !more_waits_ && queue_.waiting() == 0 && has_covered_ && covered_ms_ >= settled_ms;
}

}  // namespace footfall
