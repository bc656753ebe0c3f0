// Decides what to POST when, and what an answer means. Does no I/O: the owner carries requests and answers.
//
//     if (sender.is_due(now_ms)) {
//         const Request* request = sender.prepare(now_ms, settled_ms, status);
//         if (request) { ... POST it, with a deadline ...; sender.take(answer, now_ms); }
//     }
//
//   answer                what the sender does
//   200                   removes the crossings up to `through`; the next span starts where this one ended
//   401                   keeps all crossings; sets the clock by Date if it was off; redates and resends
//   429, 503              waits as Retry-After says; resends
//   400, 413, 415, 422    never resends this body. First it redates times that a step of the clock made obsolete. Then it
//                         halves the batch, so that one bad crossing cannot take others with it. It resends a single
//                         crossing once without its time. At last it drops it, counts it, and leaves a gap
//   anything else, none   resends with growing delays
//
// A refusal, a 401 and a Date count only in ingest's own answers: a receipt, or an error in ingest's shape. The sender
// ignores a proxy's 400, a captive portal's page and their Date.
//
// A resent batch has the same body and webhook-id, and a new timestamp and signature. After a reboot the same crossings
// may be in another body; (stream, seq) is the same, so the server stores them once.
#pragma once

#include "queue/crossing_queue.h"
#include "sending/batch_json.h"
#include "sending/signature.h"
#include "time/clock.h"

namespace footfall {

// Exponential backoff with jitter, so that counters that lost the same server do not return in the same second.
class Backoff {
   public:
    static constexpr int64_t kFirstMs = 500;
    static constexpr int64_t kLongestMs = 60 * 1000;

    explicit Backoff(RandomSource& random) : random_(random) {}

    // Returns the next delay: 50 to 100 % of 0.5, 1, 2, 4 ... 60 seconds.
    int64_t next_ms();
    void reset() { failures_ = 0; }
    uint32_t failures() const { return failures_; }

   private:
    RandomSource& random_;
    uint32_t failures_ = 0;
};

struct Request {
    const char* body;
    size_t body_size;
    const char* id;         // header webhook-id
    const char* timestamp;  // header webhook-timestamp
    const char* signature;  // header webhook-signature
};

// Strings may be null or empty. *body* need not end with a zero byte.
struct Answer {
    int status;  // 0: no answer
    const char* body;
    size_t body_size;
    const char* date;
    const char* retry_after;
};

// What take() did, for the log.
enum class Outcome {
    kAcknowledged,      // the whole batch
    kPartly,            // the server stored only part of it; resends the rest
    kClockSet,          // the clock was off; resends
    kUnauthorised,      // 401 although the clock is right: the key or the id is wrong; resends with growing delays
    kBusy,              // 429, 503: waits as Retry-After says
    kHalved,            // refused; sends fewer crossings
    kDropped,           // finally refused: a crossing is given up
    kHeartbeatRefused,  // finally refused: no crossing is lost, but the span stays a gap
    kNotReceived,       // no answer, or one that says nothing about the batch; resends with growing delays
    kRedated,           // refused; resends the same crossings with other times, in the end a single one without
};

class Sender {
   public:
    struct Policy {
        int64_t heartbeat_ms = 50 * 1000;  // the wire format asks for a batch a minute; this leaves time for a retry
        int64_t linger_ms = 2 * 1000;      // a crossing waits this long for others
        uint32_t batch_limit = kBatchLimit;
    };

    // *counter*: its id, at most kLongestName characters. All references and pointers must outlive the sender.
    Sender(Queue& queue, Clock& clock, RandomSource& random, HmacSha256 hmac, const char* counter,
           const SigningKey& key, const Policy& policy);

    bool is_due(int64_t now_ms) const;
    // When is_due() becomes true if no crossing is appended before.
    int64_t due_ms() const;
    // A crossing was appended: its linger starts.
    void notice_crossing(int64_t now_ms);
    // Sends without waiting any longer, for example when the network is back.
    void send_now(int64_t now_ms);

    // Returns what to POST to /api/v1/crossings, valid until take(). Null if the body does not fit.
    const Request* prepare(int64_t now_ms, int64_t settled_ms, const Status& status);
    // Takes the answer to the prepared request. Call it once for each request, with or without an answer.
    Outcome take(const Answer& answer, int64_t now_ms);

    // Whether the queue is empty and everything up to *settled_ms* is acknowledged.
    bool is_finished(int64_t settled_ms) const;
    uint32_t failures() const { return backoff_.failures(); }
    // For simulations whose time is not the server's: added to the time of signing.
    void set_signing_shift_s(int64_t shift_s) { signing_shift_s_ = shift_s; }

   private:
    bool build(int64_t settled_ms, const Status& status);
    Outcome take_receipt(const Answer& answer, int64_t now_ms);
    Outcome take_unauthorised(const Answer& answer, bool is_ingest, int64_t now_ms);
    Outcome take_refusal(const Answer& answer, int64_t now_ms);
    Outcome redate(int64_t now_ms);
    bool set_clock_by_date(const Answer& answer, int64_t now_ms);
    void wait(int64_t delay_ms, int64_t now_ms);
    void succeed(int64_t now_ms);

    Queue& queue_;
    Clock& clock_;
    RandomSource& random_;
    HmacSha256 hmac_;
    const char* counter_;
    const SigningKey& key_;
    Policy policy_;
    Backoff backoff_;
    uint32_t limit_;
    int64_t signing_shift_s_ = 0;

    bool has_batch_ = false;
    bool is_probe_ = false;
    OutgoingBatch batch_ = {};
    Request request_ = {};
    char body_[kBodyBytes];
    size_t body_size_ = 0;
    char id_[4 + 24 + 1];
    char timestamp_[13];
    char signature_[kSignatureBytes];

    int64_t not_before_ms_ = INT64_MIN;  // after a failure
    int64_t heartbeat_due_ms_ = INT64_MIN;
    bool is_lingering_ = false;
    int64_t linger_due_ms_ = 0;
    bool more_waits_ = true;  // the queue has more: send at once
    bool has_covered_ = false;
    int64_t covered_ms_ = 0;  // end of the acknowledged span of this boot
};

}  // namespace footfall
