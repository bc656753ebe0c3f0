// The next batch to send: crossings of one boot without a break, and the span they may claim.
#pragma once

#include "queue/record_ring.h"

namespace footfall {

// The most crossings in a batch. Each costs 16 bytes of RAM here and 33 in the body's buffer. A backlog of 10,000 takes
// 200 requests, a minute or two over HTTP.
constexpr uint32_t kBatchLimit = 50;

struct SentCrossing {
    uint32_t seq;
    int8_t direction;  // 1: entry, -1: exit
    int64_t utc_ms;    // not valid if the batch is undated
};

// Made by Queue::next_batch(). The queue's functions that take one back are in outgoing_batch.cpp too.
struct OutgoingBatch {
    Stream stream;
    bool dated;  // false: the counter never knew the time of that boot; times are sent as null, and from = to
    bool live;   // true: the span ends now; false: more waits behind this batch
    int64_t from_utc_ms;
    int64_t to_utc_ms;
    uint32_t count;
    SentCrossing crossings[kBatchLimit];
    // For acknowledge() and drop(): where the batch begins and ends, and its queue, since a format invalidates it.
    Cursor after;
    Place before;
    Stream queue_stream;

    uint32_t through() const { return count ? crossings[count - 1].seq : 0; }
};

}  // namespace footfall
