// A portion as the JSON body of wire format 1 (docs/wire-format.md), and the receipt that answers it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "crossing_queue.h"

namespace footfall {

// The counter's own report. Negative numbers other than rssi_dbm, and a null firmware, are left out.
struct Status {
    const char* firmware = nullptr;
    int64_t uptime_s = -1;
    int32_t rssi_dbm = 0;  // 0: unknown; a radio never hears that loud
    int64_t heap_bytes = -1;
    int64_t queued = -1;
    int64_t dropped = -1;
    int64_t aborted = -1;
    int64_t outer_blocked_s = -1;
    int64_t inner_blocked_s = -1;
};

// The longest body: kPortionLimit crossings, every number at its longest, an id and a firmware of 64 characters.
constexpr size_t kBodyBytes = 2304;
constexpr size_t kLongestName = 64;

// Writes the body of *portion* and returns its size; 0 if it does not fit into *capacity*, which kBodyBytes does.
// *dropped* and *queued* of *status* are the queue's business and are taken as given.
size_t encode_batch(const char* counter, const Portion& portion, const Status& status, char* into, size_t capacity);

// Writes a body that claims nothing and tells nothing: to hear the server's Date when the time is unknown.
size_t encode_probe(const char* counter, const Stream& stream, const Status& status, char* into, size_t capacity);

// Finds `through` in the body of a 200. False where it is not there or is no number; -1 is read as 0: nothing.
bool parse_receipt(const char* body, size_t size, uint32_t& through);

// Whether *body* is an error in the shape that ingest gives all of its errors, and not the page of a proxy or of a
// captive portal. *is_judgement*: it judges the batch; false for a request that did not arrive as it was sent.
bool parse_error(const char* body, size_t size, bool& is_judgement);

}  // namespace footfall
