// A batch as the JSON body of wire format 1 (docs/wire-format.md), and the parsers of its answer.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "queue/outgoing_batch.h"

namespace footfall {

// Writes JSON into a fixed buffer and detects overflow.
class JsonWriter {
   public:
    JsonWriter(char* into, size_t capacity) : into_(into), capacity_(capacity) {}

    void raw(const char* text);
    void number(int64_t value);
    // Quotes *text* and escapes it (RFC 8259, section 7).
    void quoted(const char* text);
    void hex(const uint8_t* bytes, size_t size);

    // Ends the text with a zero byte. False if anything did not fit.
    bool finish();
    size_t size() const { return size_; }

   private:
    void put(char c);

    char* into_;
    size_t capacity_;
    size_t size_ = 0;
    bool overflowed_ = false;
};

// The `status` object of a batch. Negative numbers other than rssi_dbm, and a null firmware, are left out.
struct Status {
    const char* firmware = nullptr;
    int64_t uptime_s = -1;
    int32_t rssi_dbm = 0;  // 0: unknown; no signal is that strong
    int64_t heap_bytes = -1;
    int64_t queued = -1;
    int64_t dropped = -1;
    int64_t aborted = -1;
    int64_t outer_blocked_s = -1;
    int64_t inner_blocked_s = -1;
};

// Room for the longest body: kBatchLimit crossings, longest numbers, an id and a firmware version of kLongestName.
constexpr size_t kBodyBytes = 2304;
constexpr size_t kLongestName = 64;

// Writes the body of *batch* and returns its size; 0 if it does not fit into *capacity*. kBodyBytes always suffices.
size_t encode_batch(const char* counter, const OutgoingBatch& batch, const Status& status, char* into, size_t capacity);

// Writes an empty body with an empty span, to get the server's Date while the time is unknown.
size_t encode_probe(const char* counter, const Stream& stream, const Status& status, char* into, size_t capacity);

// Finds `through` in the body of a 200. False if it is missing or not a number. -1 (nothing stored) becomes 0.
bool parse_receipt(const char* body, size_t size, uint32_t& through);

// Whether *body* is an error in ingest's shape, not the page of a proxy or a captive portal. *judges_batch*: it refuses
// the batch itself; false if the request was damaged on its way.
bool parse_error(const char* body, size_t size, bool& judges_batch);

}  // namespace footfall
