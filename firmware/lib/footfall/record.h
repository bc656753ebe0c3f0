// What stands in the queue's sectors, and its bytes. All integers are little-endian.
//
//   sector   | header 64 | record 24 | record 24 | ... | successor mark 24 |
//   header   magic, generation, stream, Checkpoint, CRC-32
//   record   kind, mark, boot, seq, time, amount, CRC-32 over stream, generation, slot and record
//
// A record's CRC knows where it stands, so that what an earlier round or another stream left behind is never valid.
#pragma once

#include <stdint.h>

namespace footfall {

constexpr uint32_t kHeaderBytes = 64;
constexpr uint32_t kRecordBytes = 24;
constexpr uint32_t kStreamBytes = 8;
constexpr int64_t kUnknownMs = INT64_MIN;

struct Stream {
    uint8_t bytes[kStreamBytes];
    bool operator==(const Stream& other) const;
};

// A place in the queue; places are ordered by generation, then slot. Generations count sectors since the beginning.
struct Place {
    uint32_t generation;
    uint32_t slot;
    bool operator<(const Place& other) const {
        return generation != other.generation ? generation < other.generation : slot < other.slot;
    }
};

enum class Kind : uint8_t {
    kStart = 1,  // a boot: counting since time_ms
    kOffset,  // UTC ms = monotonic ms + time_ms from here on; mark 1: a step, see crossing_queue.h; seq: sent before it
    kCrossing,      // seq, direction (mark), time_ms
    kAlive,         // every crossing before time_ms stands before this record
    kAcknowledged,  // place (seq = generation, amount = slot + dropped << 16), boot and time_ms: covered up to there
    kBreak,         // no span may be claimed across it: amount crossings were lost (0: none); counting since time_ms
    kSuccessor,     // in a sector's last slot: a next sector was begun
};

// Times are monotonic ms of the boot they belong to, unless said otherwise.
struct Record {
    Kind kind;
    int8_t mark;
    uint16_t boot;
    uint32_t seq;
    int64_t time_ms;
    uint32_t amount;
};

// What holds at a sector's first slot, so that no older sector is needed to go on from it.
struct Checkpoint {
    uint32_t next_seq;  // of the next crossing
    uint32_t dropped;   // crossings given up since the queue was formatted
    uint16_t boot;      // the boot whose records come first
    bool has_offset;    // of that boot: is its offset known here?
    int64_t offset_ms;
    int64_t since_ms;  // of that boot: counting without a break since
    Place done;        // everything before this place is acknowledged or dropped
    uint16_t covered_boot;
    int64_t covered_ms;  // of covered_boot: what is acknowledged ends here; kUnknownMs: nobody can say
};

struct Header {
    uint32_t generation;
    Stream stream;
    Checkpoint checkpoint;
};

void encode_header(const Header& header, uint32_t sectors, uint8_t into[kHeaderBytes]);
// Returns false for bytes that are no header of a ring of that many sectors.
bool decode_header(const uint8_t from[kHeaderBytes], uint32_t sectors, Header& header);

void encode_record(const Record& record, const Stream& stream, Place place, uint8_t into[kRecordBytes]);
// Returns false for bytes that are no record of that place.
bool decode_record(const uint8_t from[kRecordBytes], const Stream& stream, Place place, Record& record);

// Returns whether nothing was ever written there.
bool is_blank(const uint8_t* bytes, uint32_t size);

}  // namespace footfall
