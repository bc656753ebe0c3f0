// An append-only log of records over the sectors of a block device, and a cursor that reads it.
//
// The sectors form a ring: the oldest sector that is no longer needed is erased and becomes the newest.
//
//     sector     0        1        2        3        4
//             [ g 6 ]  [ g 7 ]  [ g 3 ]  [ g 4 ]  [ g 5 ]        g: generation, one more for each new sector
//                         ^head    ^tail: the first one needed
//
// A record is complete or absent: a power cut leaves at most one torn slot at the end, which readers skip.
// A new sector is begun in this order: erase, header, successor mark in the old head, first record. So a head with a
// successor mark but no successor has lost it, and with it an unknown number of records. open() reports this, and the
// queue begins a new stream. README.md has more.
#pragma once

#include "device/ports.h"
#include "queue/record.h"

namespace footfall {

class RecordRing {
   public:
    static constexpr uint32_t kMaxSectors = 128;  // 4 bytes of RAM each

    enum class Found {
        kRecords,   // a log with its newest sector
        kTornLog,   // a log without its newest sector
        kNothing,   // no valid sector: never formatted, or destroyed
        kNoDevice,  // the device failed, or the ring cannot use its geometry
    };
    enum class Read { kRecord, kDamage, kEnd };

    explicit RecordRing(BlockDevice& device) : device_(device) {}

    // Reads the device. After kTornLog, append only another stream.
    Found open();
    // Begins an empty log at *checkpoint*; with *erase_all*, erases every sector first. False if the device failed.
    bool format(const Stream& stream, const Checkpoint& checkpoint, bool erase_all);

    // The header of the newest sector.
    const Header& head() const { return head_; }

    // Appends *record* and returns true once it is durable. False, with nothing appended, if the ring is full or the
    // device failed. A full sector or another *stream* begins a new sector, with *checkpoint* as its start. A slot that
    // cannot be written is skipped, so a reader may find damage before the record.
    bool append(const Record& record, const Stream& stream, const Checkpoint& checkpoint);
    // Begins a new sector of *stream* now. False if the ring is full or the device failed.
    bool begin_sector(const Stream& stream, const Checkpoint& checkpoint);
    // How many records fit until the ring is full.
    uint32_t room() const;
    uint32_t slots_per_sector() const { return slots_; }
    uint32_t sector_count() const { return sectors_; }

    // The first existing place at or after *place*.
    Place first_from(Place place) const;
    // Reads the record at *place* and moves *place* past it. kDamage: a slot, or one or more sectors, cannot be read.
    // Sets *stream* to the sector's.
    Read read(Place& place, Record& record, Stream& stream);
    // Reads the header of the sector with *generation*; false if there is none.
    bool read_header(uint32_t generation, Header& header);
    // Sectors before *place* may be reused.
    void release(Place place) { needed_ = place.generation; }

   private:
    bool load_header(uint32_t sector, Header& header);
    bool read_slot(uint32_t sector, uint32_t slot, uint8_t into[kRecordBytes]);
    bool write_slot(uint32_t sector, uint32_t slot, const Record& record, const Header& header);
    bool write_header(uint32_t sector, const Header& header);
    void mark_successor(uint32_t sector, const Header& header);
    int find_sector(uint32_t generation) const;
    bool open_for_reading(uint32_t generation);
    bool fits_device();
    void load_generations();
    void scan_head();
    void repair_mark();
    bool is_reusable(uint32_t sector) const;

    BlockDevice& device_;
    uint32_t sectors_ = 0;
    uint32_t slots_ = 0;                      // for records; the slot after them holds the successor mark
    uint32_t generations_[kMaxSectors] = {};  // of each sector; 0: not valid
    uint32_t head_sector_ = 0;
    Header head_ = {};
    uint32_t next_slot_ = 0;
    Header reading_ = {};  // of the sector read last
    uint32_t reading_sector_ = 0;
    uint32_t needed_ = 0;  // the lowest generation to keep
};

// A position in the log and the state there. A plain value: copy it to look ahead.
struct Cursor {
    Place place;
    Stream stream;
    uint16_t boot;
    bool has_offset;
    int64_t offset_ms;
    bool has_since;    // false after damage, until the next sign of life
    int64_t since_ms;  // of boot: counting since then, and not acknowledged yet
};

// The next step of a cursor.
struct Ahead {
    RecordRing::Read read;
    Record record;  // valid if read is kRecord
    Stream stream;
    Place place;    // after this step
    bool is_seam;   // no span may cover this step: a new boot or stream, a break, damage
    bool is_jump;   // sectors are missing; *header* is that of the next one
    Header header;
};

Ahead look_ahead(RecordRing& ring, const Cursor& cursor);

// Moves *cursor* past *ahead*, which must not be the end.
void pass(Cursor& cursor, const Ahead& ahead);

}  // namespace footfall
