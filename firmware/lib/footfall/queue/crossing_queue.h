// Keeps the crossings of one counter until the server acknowledges them, and knows which spans it may claim.
//
// The queue promises this (README.md says how; tests/firmware/test_queue*.py check it):
//   - If append() returns true, the crossing survives every power cut until it is acknowledged or finally refused.
//   - No (stream, seq) is ever given twice. Seqs start at 1 and grow by one; a jump is a lost crossing.
//   - The stream changes only if the queue was formatted, if its newest part was destroyed, or if the server shows that
//     this flash is a copy.
//   - A span covers only time in which every crossing was kept. It ends at a reboot, at damage and at a loss.
//   - A full queue keeps the old crossings and refuses new ones. It counts those in dropped(), uses up their seqs, and
//     claims no span until there is room again. It never erases a sector that holds unacknowledged crossings.
//
// Times come in as monotonic ms of this boot and go out as UTC; time/README.md has the rules.
//
// Usage: open() once. append() each crossing, note_alive() regularly, note_offset() whenever the clock changed. To
// send: next_batch(), freeze() before the first attempt, then acknowledge() or drop() by the answer.
#pragma once

#include "queue/outgoing_batch.h"

namespace footfall {

enum class Opening {
    kKept,       // continues an existing queue
    kFormatted,  // found nothing: a new stream
    kTorn,       // the newest part was destroyed: keeps the rest and begins a new stream
    kFailed,     // the device failed: append() will return false
};

class Queue {
   public:
    // A counter without a server records a sign of life this often, so a power cut costs at most this much of its span.
    static constexpr int64_t kAliveMs = 10 * 60 * 1000;
    // Slots that crossings leave free for acknowledgements and offsets.
    static constexpr uint32_t kReserve = 16;
    // A change of the clock up to this size is a correction, not a step: spans continue without a seam.
    static constexpr int64_t kStepMs = 5000;
    // Smaller changes of the offset are not recorded.
    static constexpr int64_t kFineMs = 250;
    // Times are held back by at most this to keep their order. After a longer step back they follow the clock.
    static constexpr int64_t kLongestHoldMs = 300 * 1000;

    // *random* must be truly random: it makes stream ids, which must never repeat.
    Queue(BlockDevice& device, RandomSource& random) : ring_(device), random_(random) {}

    // Opens the queue on the device, or formats it, and begins a boot that counts since *since_ms* (monotonic).
    Opening open(int64_t since_ms);
    // Deletes everything and begins a new stream; counting since *since_ms*.
    bool format(int64_t since_ms);

    // True once the crossing is durable. False if the queue is full or the device failed; dropped() counts it then.
    // Times must not decrease.
    bool append(int8_t direction, int64_t time_ms);
    // Every crossing before *settled_ms* has been appended. Cheap: writes only after kAliveMs without a record.
    void note_alive(int64_t settled_ms);
    // UTC ms = monotonic ms + *offset_ms*. *step*: the offset before was wrong or missing, so crossings that were not
    // sent yet take their time from this one.
    void note_offset(int64_t offset_ms, bool step);
    // Counting stops at *at_ms* (a beam is blocked) and goes on at *since_ms*. No span covers the time between.
    void pause(int64_t at_ms);
    void resume(int64_t since_ms);

    // Fills *batch* with the oldest unacknowledged crossings, at most *limit*. Every crossing before *settled_ms* must
    // have been appended. False if the clock was never set.
    bool next_batch(int64_t settled_ms, uint32_t limit, OutgoingBatch& batch);
    // *batch* is about to be sent for the first time: its times must not change any more.
    void freeze(const OutgoingBatch& batch);
    // The server refused *batch* and stored nothing of it: its times may change again. True if a step redates it.
    bool thaw(const OutgoingBatch& batch);
    // The server refuses the single crossing of *batch* at any time: from now on it is sent without one. False if it
    // already was.
    bool undate(const OutgoingBatch& batch);
    // Removes the crossings up to seq *through*. True if these are all of *batch*; then its span is covered too.
    bool acknowledge(const OutgoingBatch& batch, uint32_t through);
    // Gives up the crossings of *batch*; no span will cover them.
    void drop(const OutgoingBatch& batch);

    uint32_t waiting() const { return waiting_; }
    // Crossings given up since the queue was formatted.
    uint32_t dropped() const { return dropped_ + refused_; }
    uint32_t next_seq() const { return next_seq_; }
    uint16_t boot() const { return boot_; }
    const Stream& stream() const { return stream_; }
    // For replaying a trace over several boots: every crossing before *time_ms* is durable. False if the queue is
    // empty.
    bool resume_point(int64_t& time_ms) const;

   private:
    friend class BatchBuilder;

    Opening recover(RecordRing::Found found);
    void new_stream();
    bool begin_stream(bool erase_all);
    void replay_head();
    void seek_cursor(Place done, uint16_t covered_boot, int64_t covered_ms);
    void count_waiting();
    bool write(const Record& record);
    bool write_context();
    bool write_break(int64_t since_ms);
    Record record_of(Kind kind, int64_t time_ms) const;
    Checkpoint checkpoint() const;
    void refuse(int64_t time_ms);
    bool is_current(const OutgoingBatch& batch) const;
    void move_to(const Cursor& after, uint32_t gone, uint32_t dropped);

    RecordRing ring_;
    RandomSource& random_;
    Stream stream_ = {};
    uint32_t next_seq_ = 1;
    uint32_t waiting_ = 0;
    uint32_t dropped_ = 0;
    uint32_t refused_ = 0;  // crossings refused since the last break was written
    bool is_paused_ = false;
    bool is_held_ = false;  // no span is claimed beyond held_at_ms_ until a break is written
    int64_t held_at_ms_ = 0;
    int64_t refused_until_ms_ = INT64_MIN;  // time of the last refused crossing, plus 1

    uint16_t boot_ = 0;
    int64_t boot_since_ms_ = 0;
    bool has_offset_ = false;  // of this boot
    int64_t offset_ms_ = 0;
    bool owes_step_ = false;  // the last step is not in the log yet

    // The state at the end of the log.
    uint16_t log_boot_ = 0;
    bool log_has_offset_ = false;
    int64_t log_offset_ms_ = 0;
    int64_t log_since_ms_ = 0;
    int64_t log_last_ms_ = 0;  // the last sign of life

    Cursor cursor_ = {};       // the oldest record that is not acknowledged
    uint32_t frozen_seq_ = 0;  // highest seq of stream_ sent in this boot, which the server may have stored
    uint32_t thawed_seq_ = 0;  // highest seq refused since the last step
    bool has_undated_ = false;  // the first crossing after undated_ is sent without a time
    Place undated_ = {};
    // The last acknowledged span: where it ends, and the UTC that was sent for it.
    bool has_sent_span_ = false;
    uint16_t sent_boot_ = 0;
    int64_t sent_to_ms_ = 0;
    int64_t sent_to_utc_ms_ = 0;
    int64_t last_stamp_utc_ms_ = 0;
    bool has_resume_ = false;
    int64_t resume_ms_ = 0;

    // Cache: the last step in the log of step_boot_.
    bool step_is_known_ = false;
    uint16_t step_boot_ = 0;
    bool has_step_ = false;
    Place step_place_ = {};
    uint32_t step_after_seq_ = 0;
    int64_t step_offset_ms_ = 0;
};

}  // namespace footfall
