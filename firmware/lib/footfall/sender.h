// Decides what to POST when, and what an answer means. Does no I/O: the owner carries requests and answers.
//
//     if (sender.is_due(now_ms, settled_ms)) {
//       const Request* request = sender.prepare(now_ms, settled_ms, status);
//       if (request) { ... POST it, with a deadline ...; sender.take(answer, now_ms); }
//     }
//
//   answer                what it does
//   200                   forgets what is <= through; the next span starts where this one ended
//   401                   keeps all crossings; sets the clock by Date if that was off; dates anew, sends again
//   429, 503              waits as Retry-After says; sends again
//   400, 413, 415, 422    never sends this body again. Times that a step of the clock has overtaken are dated anew.
//                         Then it tries half as many crossings at a time, so that one bad crossing cannot take others
//                         with it; a single one once without its time; then it is dropped, counted, and leaves a gap
//   anything else, none   sends again, later and later
//
// A refusal, a 401 and a Date count only in an answer that is ingest's own: a receipt, or an error in its shape. A
// proxy's 400, a captive portal's page and their clocks judge nothing.
//
// A batch that is sent again has the same body and the same webhook-id, and a new timestamp and signature. After a
// reboot the same crossings may travel in another body; their (stream, seq) is the same, and so they are stored once.
#pragma once

#include "backoff.h"
#include "batch.h"
#include "clock.h"
#include "crossing_queue.h"
#include "signature.h"

namespace footfall {

struct Request {
    const char* body;
    size_t body_size;
    const char* id;         // header webhook-id
    const char* timestamp;  // header webhook-timestamp
    const char* signature;  // header webhook-signature
};

// What came back. Strings may be null or empty; *body* need not end with a zero.
struct Answer {
    int status;  // 0: no answer came
    const char* body;
    size_t body_size;
    const char* date;
    const char* retry_after;
};

// What take() did, for the log.
enum class Outcome {
    kAcknowledged,      // all of it
    kPartly,            // the server kept less than was sent; the rest is sent again
    kClockSet,          // the clock was off; sends again
    kUnauthorised,      // 401, and the clock is right: the key or the id is wrong; sends again, later and later
    kBusy,              // 429, 503: waits as it was told
    kHalved,            // refused; sends fewer crossings
    kDropped,           // refused for good: a crossing is given up
    kHeartbeatRefused,  // refused for good: nothing is lost, but the span stays a gap
    kNotReceived,       // no answer, or one that judges nothing; sends again, later and later
    kDatedAnew,         // refused; sends the same crossings with other times, a single one at last without
};

class Sender {
   public:
    struct Habits {
        int64_t heartbeat_ms = 50 * 1000;  // the wire format wants a batch a minute; this leaves time to try again
        int64_t linger_ms = 2 * 1000;      // a crossing waits this long for company
        uint32_t batch_limit = kPortionLimit;
    };

    // *counter*: its id, at most kLongestName characters. All references and pointers must outlive the sender.
    Sender(Queue& queue, Clock& clock, RandomSource& random, HmacSha256 hmac, const char* counter,
           const SigningKey& key, const Habits& habits);

    // Returns whether a request should be made now. A crossing was appended: call notice_crossing() first.
    bool is_due(int64_t now_ms) const;
    // The earliest instant at which is_due() may become true, if nothing is appended before.
    int64_t due_ms() const;
    // Starts the linger of a crossing that was just appended.
    void notice_crossing(int64_t now_ms);
    // Sends at once, whatever was planned: the network has just come back.
    void hurry(int64_t now_ms);

    // Returns what to POST to /api/v1/crossings, valid until take(). Null if there is nothing to be said.
    const Request* prepare(int64_t now_ms, int64_t settled_ms, const Status& status);
    // Takes what came back for the prepared request. Must be called once for each, an answer or none.
    Outcome take(const Answer& answer, int64_t now_ms);

    bool is_in_flight() const { return has_batch_; }
    // True when nothing waits and everything up to *settled_ms* was acknowledged.
    bool is_finished(int64_t settled_ms) const;
    uint32_t failures() const { return backoff_.failures(); }
    // For simulations, whose world is not the server's: added to the time of signing.
    void set_signing_shift_s(int64_t shift_s) { signing_shift_s_ = shift_s; }

   private:
    bool build(int64_t settled_ms, const Status& status);
    Outcome take_receipt(const Answer& answer, int64_t now_ms);
    Outcome take_unauthorised(const Answer& answer, bool is_ingest, int64_t now_ms);
    Outcome take_refusal(const Answer& answer, int64_t now_ms);
    Outcome date_anew(int64_t now_ms);
    bool hear_date(const Answer& answer, int64_t now_ms);
    void wait(int64_t delay_ms, int64_t now_ms);
    void succeed(int64_t now_ms);

    Queue& queue_;
    Clock& clock_;
    RandomSource& random_;
    HmacSha256 hmac_;
    const char* counter_;
    const SigningKey& key_;
    Habits habits_;
    Backoff backoff_;
    uint32_t limit_;
    int64_t signing_shift_s_ = 0;

    bool has_batch_ = false;
    bool is_probe_ = false;
    Portion portion_ = {};
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
    bool more_waits_ = true;  // behind the last portion: send on at once
    bool has_covered_ = false;
    int64_t covered_ms_ = 0;  // of this boot, acknowledged
};

}  // namespace footfall
