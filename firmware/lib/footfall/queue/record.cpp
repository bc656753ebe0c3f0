#include "queue/record.h"

#include <string.h>

#include "queue/bytes.h"

namespace footfall {

// "FFq1" as bytes. The digit is the version of this layout.
static constexpr uint32_t kMagic = 0x31714646;
static constexpr uint32_t kChecked = kHeaderBytes - 4;
static constexpr uint32_t kRecordChecked = kRecordBytes - 4;

bool Stream::operator==(const Stream& other) const { return memcmp(bytes, other.bytes, sizeof bytes) == 0; }

// The CRC covers the number of sectors, so that a ring that grew or shrank is not taken for a valid one.
static uint32_t header_crc(const uint8_t* bytes, uint32_t sectors) {
    uint8_t tail[4];
    put_le(tail, sectors, 4);
    return crc32(tail, sizeof tail, crc32(bytes, kChecked));
}

void encode_header(const Header& header, uint32_t sectors, uint8_t into[kHeaderBytes]) {
    const Checkpoint& point = header.checkpoint;
    put_le(into, kMagic, 4);
    put_le(into + 4, header.generation, 4);
    memcpy(into + 8, header.stream.bytes, kStreamBytes);
    put_le(into + 16, point.next_seq, 4);
    put_le(into + 20, point.dropped, 4);
    put_le(into + 24, point.boot, 2);
    put_le(into + 26, point.covered_boot, 2);
    put_le(into + 28, point.done.generation, 4);
    put_le(into + 32, point.done.slot, 2);
    put_le(into + 34, point.has_offset ? 1 : 0, 2);
    put_le(into + 36, static_cast<uint64_t>(point.offset_ms), 8);
    put_le(into + 44, static_cast<uint64_t>(point.since_ms), 8);
    put_le(into + 52, static_cast<uint64_t>(point.covered_ms), 8);
    put_le(into + kChecked, header_crc(into, sectors), 4);
}

bool decode_header(const uint8_t from[kHeaderBytes], uint32_t sectors, Header& header) {
    if (get_le(from, 4) != kMagic || get_le(from + kChecked, 4) != header_crc(from, sectors)) {
        return false;
    }
    Checkpoint& point = header.checkpoint;
    header.generation = static_cast<uint32_t>(get_le(from + 4, 4));
    memcpy(header.stream.bytes, from + 8, kStreamBytes);
    point.next_seq = static_cast<uint32_t>(get_le(from + 16, 4));
    point.dropped = static_cast<uint32_t>(get_le(from + 20, 4));
    point.boot = static_cast<uint16_t>(get_le(from + 24, 2));
    point.covered_boot = static_cast<uint16_t>(get_le(from + 26, 2));
    point.done.generation = static_cast<uint32_t>(get_le(from + 28, 4));
    point.done.slot = static_cast<uint32_t>(get_le(from + 32, 2));
    point.has_offset = get_le(from + 34, 2) != 0;
    point.offset_ms = static_cast<int64_t>(get_le(from + 36, 8));
    point.since_ms = static_cast<int64_t>(get_le(from + 44, 8));
    point.covered_ms = static_cast<int64_t>(get_le(from + 52, 8));
    return header.generation != 0;
}

static uint32_t record_crc(const uint8_t* bytes, const Stream& stream, Place place) {
    uint8_t where[8];
    put_le(where, place.generation, 4);
    put_le(where + 4, place.slot, 4);
    const uint32_t crc = crc32(where, sizeof where, crc32(stream.bytes, kStreamBytes));
    return crc32(bytes, kRecordChecked, crc);
}

void encode_record(const Record& record, const Stream& stream, Place place, uint8_t into[kRecordBytes]) {
    into[0] = static_cast<uint8_t>(record.kind);
    into[1] = static_cast<uint8_t>(record.mark);
    put_le(into + 2, record.boot, 2);
    put_le(into + 4, record.seq, 4);
    put_le(into + 8, static_cast<uint64_t>(record.time_ms), 8);
    put_le(into + 16, record.amount, 4);
    put_le(into + kRecordChecked, record_crc(into, stream, place), 4);
}

bool decode_record(const uint8_t from[kRecordBytes], const Stream& stream, Place place, Record& record) {
    if (get_le(from + kRecordChecked, 4) != record_crc(from, stream, place)) {
        return false;
    }
    record.kind = static_cast<Kind>(from[0]);
    record.mark = static_cast<int8_t>(from[1]);
    record.boot = static_cast<uint16_t>(get_le(from + 2, 2));
    record.seq = static_cast<uint32_t>(get_le(from + 4, 4));
    record.time_ms = static_cast<int64_t>(get_le(from + 8, 8));
    record.amount = static_cast<uint32_t>(get_le(from + 16, 4));
    return record.kind >= Kind::kStart && record.kind <= Kind::kSuccessor;
}

bool is_blank(const uint8_t* bytes, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        if (bytes[i] != 0xff) {
            return false;
        }
    }
    return true;
}

}  // namespace footfall
