// An append-only log of records over the sectors of a block device, as a ring: the oldest sector that is no longer
// needed is erased and becomes the newest.
//
//     sector     0        1        2        3        4
//             [ g 6 ]  [ g 7 ]  [ g 3 ]  [ g 4 ]  [ g 5 ]        g: generation, one more for each sector begun
//                         ^head    ^tail: first needed
//
// A record is there or it is not: a power cut leaves at most one torn slot, at the end, which is passed over.
// A new sector is begun in this order: erase, header, successor mark in the old head, first record. So a head with
// a successor mark but no successor has lost its successor, and more may have been lost than anybody can tell: open()
// says so, and the queue then begins a new stream. See QUEUE.md.
#pragma once

#include "block_device.h"
#include "record.h"

namespace footfall {

class RecordRing {
   public:
    static constexpr uint32_t kMaxSectors = 128;  // 4 bytes of RAM each

    enum class Found {
        kRecords,   // a log, with its newest sector
        kTornLog,   // a log whose newest sector is gone
        kNothing,   // no valid sector at all: never formatted, or destroyed
        kNoDevice,  // the device fails, or its geometry is not one the ring can use
    };
    enum class Read { kRecord, kDamage, kEnd };

    explicit RecordRing(BlockDevice& device) : device_(device) {}

    // Looks what is there. After kTornLog only another stream may be appended.
    Found open();
    // Makes *checkpoint* the start of an empty log. Every sector is erased first when *erase_all*.
    bool format(const Stream& stream, const Checkpoint& checkpoint, bool erase_all);

    // The header of the newest sector.
    const Header& head() const { return head_; }

    // Appends *record* to *stream* and returns true once it is durable. When a new sector is needed, *checkpoint* is
    // its start; it always is where *stream* is another than the head's. Returns false, and appends nothing, when the
    // ring is full or the device failed. A slot that cannot be written is passed over, so a reader may find damage
    // before the record.
    bool append(const Record& record, const Stream& stream, const Checkpoint& checkpoint);
    // Begins a new sector at once, of *stream*. Returns false when the ring is full or the device failed.
    bool begin_sector(const Stream& stream, const Checkpoint& checkpoint);
    // Records that can be appended before the ring is full.
    uint32_t room() const;
    uint32_t slots_per_sector() const { return slots_; }
    uint32_t sector_count() const { return sectors_; }

    // Where the next record goes.
    Place end() const { return {head_.generation, next_slot_}; }
    // The first place that exists, at or after *place*.
    Place first_from(Place place) const;
    // Reads what stands at *place* into *record* and moves *place* behind it. kDamage: one slot, or one or more
    // sectors, are unreadable. *stream* is set to that of the sector.
    Read read(Place& place, Record& record, Stream& stream);
    // Reads the header of the sector with *generation*; false if it is not there.
    bool read_header(uint32_t generation, Header& header);
    // Sectors before *place* may be reused from now on.
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
    uint32_t slots_ = 0;                      // for records; the slot after them is for the successor mark
    uint32_t generations_[kMaxSectors] = {};  // of each sector; 0: not valid
    uint32_t head_sector_ = 0;
    Header head_ = {};
    uint32_t next_slot_ = 0;
    Header reading_ = {};  // of the sector that was read last
    uint32_t reading_sector_ = 0;
    uint32_t needed_ = 0;  // the lowest generation that must be kept
};

}  // namespace footfall
