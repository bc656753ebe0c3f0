#include "queue/record_ring.h"

#include <string.h>

namespace footfall {

// A slot that does not read back as written is skipped. A device that fails this often in a row is broken.
static constexpr int kTries = 3;

RecordRing::Found RecordRing::open() {
    if (!fits_device()) {
        return Found::kNoDevice;
    }
    reading_ = Header{};
    load_generations();
    if (head_.generation == 0) {
        return Found::kNothing;
    }
    scan_head();
    uint8_t mark[kRecordBytes];
    if (!read_slot(head_sector_, slots_, mark)) {
        return Found::kNoDevice;
    }
    if (!is_blank(mark, sizeof mark)) {
        return Found::kTornLog;
    }
    repair_mark();
    return Found::kRecords;
}

bool RecordRing::fits_device() {
    const uint32_t size = device_.sector_size();
    sectors_ = device_.sector_count();
    slots_ = size < 256 ? 0 : (size - kHeaderBytes) / kRecordBytes - 1;
    if (size < 256 || size % 4 != 0 || slots_ >= 0x10000 || sectors_ < 4 || sectors_ > kMaxSectors) {
        sectors_ = slots_ = 0;
    }
    return sectors_ > 0;
}

// Finds the newest sector by its generation, whatever its stream.
void RecordRing::load_generations() {
    head_ = Header{};
    for (uint32_t sector = 0; sector < sectors_; sector++) {
        Header header = {};
        generations_[sector] = load_header(sector, header) ? header.generation : 0;
        if (generations_[sector] > head_.generation) {
            head_ = header;
            head_sector_ = sector;
        }
    }
}

// The newest sector ends after its last slot that is not blank.
void RecordRing::scan_head() {
    next_slot_ = 0;
    for (uint32_t slot = 0; slot < slots_; slot++) {
        uint8_t bytes[kRecordBytes];
        if (!read_slot(head_sector_, slot, bytes) || !is_blank(bytes, sizeof bytes)) {
            next_slot_ = slot + 1;
        }
    }
}

// Writes the successor mark before the head if a power cut prevented it.
void RecordRing::repair_mark() {
    const int before = find_sector(head_.generation - 1);
    Header header = {};
    if (before >= 0 && load_header(static_cast<uint32_t>(before), header)) {
        mark_successor(static_cast<uint32_t>(before), header);
    }
}

bool RecordRing::format(const Stream& stream, const Checkpoint& checkpoint, bool erase_all) {
    if (!fits_device()) {
        return false;
    }
    for (uint32_t sector = 0; erase_all && sector < sectors_; sector++) {
        if (!device_.erase(sector)) {
            return false;
        }
    }
    memset(generations_, 0, sizeof generations_);
    reading_ = Header{};
    head_ = Header{};
    head_sector_ = sectors_ - 1;
    next_slot_ = slots_;
    needed_ = 0;
    return begin_sector(stream, checkpoint);
}

bool RecordRing::is_reusable(uint32_t sector) const {
    return sector != head_sector_ && (generations_[sector] == 0 || generations_[sector] < needed_);
}

bool RecordRing::begin_sector(const Stream& stream, const Checkpoint& checkpoint) {
    const Header header = {head_.generation + 1, stream, checkpoint};
    for (uint32_t ahead = 1; ahead < sectors_; ahead++) {  // skips worn-out sectors
        const uint32_t sector = (head_sector_ + ahead) % sectors_;
        if (!is_reusable(sector)) {
            return false;
        }
        generations_[sector] = 0;
        if (!device_.erase(sector) || !write_header(sector, header)) {
            continue;
        }
        if (head_.generation != 0) {
            mark_successor(head_sector_, head_);
        }
        generations_[sector] = header.generation;
        head_ = header;
        head_sector_ = sector;
        next_slot_ = 0;
        return true;
    }
    return false;
}

bool RecordRing::append(const Record& record, const Stream& stream, const Checkpoint& checkpoint) {
    for (int tries = 0; tries < kTries; tries++) {
        const bool is_full = next_slot_ >= slots_ || !(head_.stream == stream);
        if (is_full && !begin_sector(stream, checkpoint)) {
            return false;
        }
        const uint32_t slot = next_slot_++;
        if (write_slot(head_sector_, slot, record, head_)) {
            return true;
        }
    }
    return false;
}

uint32_t RecordRing::room() const {
    uint32_t free_sectors = 0;
    while (free_sectors + 1 < sectors_ && is_reusable((head_sector_ + 1 + free_sectors) % sectors_)) {
        free_sectors++;
    }
    return free_sectors * slots_ + (slots_ > next_slot_ ? slots_ - next_slot_ : 0);
}

Place RecordRing::first_from(Place place) const {
    uint32_t first = head_.generation;
    for (uint32_t sector = 0; sector < sectors_; sector++) {
        if (generations_[sector] >= place.generation && generations_[sector] < first && generations_[sector] != 0) {
            first = generations_[sector];
        }
    }
    return {first, first == place.generation ? place.slot : 0};
}

RecordRing::Read RecordRing::read(Place& place, Record& record, Stream& stream) {
    for (;;) {
        const Place at = first_from(place);
        if (at.generation != place.generation) {
            place = at;
            return Read::kDamage;
        }
        const bool is_head = at.generation == head_.generation;
        if (is_head && at.slot >= next_slot_) {
            stream = head_.stream;
            return Read::kEnd;
        }
        if (at.slot >= slots_) {
            place = {at.generation + 1, 0};
            continue;
        }
        place.slot++;
        uint8_t bytes[kRecordBytes];
        if (!open_for_reading(at.generation) || !read_slot(reading_sector_, at.slot, bytes)) {
            return Read::kDamage;
        }
        stream = reading_.stream;
        if (decode_record(bytes, stream, at, record)) {
            return Read::kRecord;
        }
        if (!is_blank(bytes, sizeof bytes)) {
            return Read::kDamage;
        }
    }
}

// Keeps the header, because records are read in sequence.
bool RecordRing::open_for_reading(uint32_t generation) {
    if (reading_.generation != generation) {
        const int sector = find_sector(generation);
        if (sector < 0 || !load_header(static_cast<uint32_t>(sector), reading_)) {
            reading_.generation = 0;
            return false;
        }
        reading_sector_ = static_cast<uint32_t>(sector);
    }
    return true;
}

bool RecordRing::read_header(uint32_t generation, Header& header) {
    const int sector = find_sector(generation);
    return sector >= 0 && load_header(static_cast<uint32_t>(sector), header);
}

int RecordRing::find_sector(uint32_t generation) const {
    for (uint32_t sector = 0; generation != 0 && sector < sectors_; sector++) {
        if (generations_[sector] == generation) {
            return static_cast<int>(sector);
        }
    }
    return -1;
}

bool RecordRing::load_header(uint32_t sector, Header& header) {
    uint8_t bytes[kHeaderBytes];
    return device_.read(sector, 0, bytes, sizeof bytes) && decode_header(bytes, sectors_, header);
}

bool RecordRing::read_slot(uint32_t sector, uint32_t slot, uint8_t into[kRecordBytes]) {
    return device_.read(sector, kHeaderBytes + slot * kRecordBytes, into, kRecordBytes);
}

bool RecordRing::write_slot(uint32_t sector, uint32_t slot, const Record& record, const Header& header) {
    uint8_t bytes[kRecordBytes];
    uint8_t written[kRecordBytes];
    encode_record(record, header.stream, {header.generation, slot}, bytes);
    return device_.program(sector, kHeaderBytes + slot * kRecordBytes, bytes, sizeof bytes) && device_.sync() &&
           read_slot(sector, slot, written) && memcmp(bytes, written, sizeof bytes) == 0;
}

bool RecordRing::write_header(uint32_t sector, const Header& header) {
    uint8_t bytes[kHeaderBytes];
    uint8_t written[kHeaderBytes];
    encode_header(header, sectors_, bytes);
    return device_.program(sector, 0, bytes, sizeof bytes) && device_.sync() &&
           device_.read(sector, 0, written, sizeof written) && memcmp(bytes, written, sizeof bytes) == 0;
}

// A failure is harmless unless the head is lost later.
void RecordRing::mark_successor(uint32_t sector, const Header& header) {
    uint8_t bytes[kRecordBytes];
    if (read_slot(sector, slots_, bytes) && is_blank(bytes, sizeof bytes)) {
        Record record = {};
        record.kind = Kind::kSuccessor;
        write_slot(sector, slots_, record, header);
    }
}

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
