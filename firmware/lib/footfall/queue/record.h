// The records of the queue and their bytes in a sector. All integers are little-endian.
//
//   sector   | header 64 | record 24 | record 24 | ... | successor mark 24 |
//   header   magic, generation, stream, Checkpoint, CRC-32
//   record   kind, mark, boot, seq, time, amount, CRC-32
//
// A record's CRC also covers its stream, generation and slot. So a record that an earlier round or another stream left
// behind is never valid.
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

// A position in the log, ordered by generation, then slot. Each new sector gets the next generation.
struct Place {
    uint32_t generation;
    uint32_t slot;
    bool operator<(const Place& other) const {
        return generation != other.generation ? generation < other.generation : slot < other.slot;
    }
};

enum class Kind : uint8_t {
    kStart = 1,     // a boot; counting since time_ms
    kOffset,        // from here on UTC ms = monotonic ms + time_ms; mark 1: a step; seq: the last one sent before it
    kCrossing,      // seq, direction (mark), time_ms
    kAlive,         // every crossing before time_ms is recorded before this record
    kAcknowledged,  // up to a place (seq: generation, amount: slot + dropped << 16) and a time (boot, time_ms)
    kBreak,         // no span may cover this point; amount: crossings lost; counting again since time_ms
    kSuccessor,     // in a sector's last slot: the next sector was begun
};

// Times are monotonic ms of the record's boot, unless stated otherwise.
struct Record {
    Kind kind;
    int8_t mark;
    uint16_t boot;
    uint32_t seq;
    int64_t time_ms;
    uint32_t amount;
};

// The state at the first slot of a sector, so that a reader needs no older sector.
struct Checkpoint {
    uint32_t next_seq;  // of the next crossing
    uint32_t dropped;   // crossings given up since the queue was formatted
    uint16_t boot;      // of the first records
    bool has_offset;    // whether that boot's offset is known here
    int64_t offset_ms;
    int64_t since_ms;  // of that boot: counting without a break since
    Place done;        // everything before this place is acknowledged or dropped
    uint16_t covered_boot;
    int64_t covered_ms;  // of covered_boot: the end of the acknowledged span; kUnknownMs after damage
};

struct Header {
    uint32_t generation;
    Stream stream;
    Checkpoint checkpoint;
};

void encode_header(const Header& header, uint32_t sectors, uint8_t into[kHeaderBytes]);
// False if the bytes are not a header in a ring of *sectors* sectors.
bool decode_header(const uint8_t from[kHeaderBytes], uint32_t sectors, Header& header);

void encode_record(const Record& record, const Stream& stream, Place place, uint8_t into[kRecordBytes]);
// False if the bytes are not a record of this stream at this place.
bool decode_record(const uint8_t from[kRecordBytes], const Stream& stream, Place place, Record& record);

// Whether all bytes are as erased.
bool is_blank(const uint8_t* bytes, uint32_t size);

}  // namespace footfall
