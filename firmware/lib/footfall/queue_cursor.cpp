#include "queue_cursor.h"

namespace footfall {

static bool has_boot(const Record& record) { return record.kind != Kind::kAcknowledged; }

Ahead look_ahead(RecordRing& ring, const Cursor& cursor) {
    Ahead ahead = {};
    ahead.place = cursor.place;
    ahead.stream = cursor.stream;
    ahead.read = ring.read(ahead.place, ahead.record, ahead.stream);
    ahead.is_jump = ahead.read == RecordRing::Read::kDamage && ahead.place.slot == 0 &&
                    ring.read_header(ahead.place.generation, ahead.header);
    const bool is_record = ahead.read == RecordRing::Read::kRecord;
    ahead.is_seam = ahead.read == RecordRing::Read::kDamage || !(ahead.stream == cursor.stream) ||
                    (is_record && has_boot(ahead.record) &&
                     (ahead.record.boot != cursor.boot || ahead.record.kind == Kind::kBreak));
    return ahead;
}

void pass(Cursor& cursor, const Ahead& ahead) {
    cursor.place = ahead.place;
    if (!(ahead.stream == cursor.stream)) {
        cursor.stream = ahead.stream;
        cursor.has_since = false;
    }
    if (ahead.read != RecordRing::Read::kRecord) {
        cursor.has_since = false;
        if (ahead.is_jump) {
            cursor.stream = ahead.header.stream;
            cursor.boot = ahead.header.checkpoint.boot;
            cursor.has_offset = ahead.header.checkpoint.has_offset;
            cursor.offset_ms = ahead.header.checkpoint.offset_ms;
        }
        return;
    }
    const Record& record = ahead.record;
    if (!has_boot(record)) {
        return;
    }
    if (record.boot != cursor.boot) {
        cursor.boot = record.boot;
        cursor.has_offset = false;
        cursor.has_since = record.kind == Kind::kStart;
        cursor.since_ms = record.time_ms;
    }
    if (record.kind == Kind::kOffset) {
        cursor.has_offset = true;
        cursor.offset_ms = record.time_ms;
    } else if (record.kind == Kind::kBreak ||
               (!cursor.has_since && (record.kind == Kind::kCrossing || record.kind == Kind::kAlive))) {
        cursor.has_since = true;
        cursor.since_ms = record.time_ms;
    }
}

}  // namespace footfall
