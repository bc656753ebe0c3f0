// The crossings of one counter from the door to the acknowledgement, durable, with the spans that may be claimed.
//
// What it promises (QUEUE.md says how, tests/firmware/test_queue*.py hold it to that):
//   - append() returns true: the crossing survives every power cut until it is acknowledged or refused for good.
//   - (stream, seq) is never given twice. Seqs start at 1 and grow by one; a jump is a crossing that was lost.
//   - The stream changes only when the queue was formatted, or when its newest part was destroyed, which counts as
//   that.
//   - A span is claimed only for time in which every crossing was kept: it breaks at a reboot, at damage, at a loss.
//   - Full: the oldest are kept and new ones refused. They are counted in dropped(), their seqs are used up, and no
//     span is claimed for the time until there is room again. Which crossings to lose is a choice between equals; the
//     older ones were promised to be kept, and no sector with promised crossings is ever erased.
//
// Times come in as monotonic ms of this boot, and leave as UTC. TIME.md has the rules.
//
// How the owner uses it:   open() once;   append() for each crossing, note_alive() now and then, note_offset() when the
// clock was set;   portion() -> send -> freeze() before the first attempt, acknowledge() or drop() after the answer.
#pragma once

#include "random.h"
#include "record_ring.h"

namespace footfall {

// How many crossings one batch may carry: each costs 16 bytes of RAM here and 33 in the body's buffer. Ten thousand that
// waited are 200 requests, a minute or two by HTTP.
constexpr uint32_t kPortionLimit = 50;

struct SentCrossing {
    uint32_t seq;
    int8_t direction;  // 1: entry, -1: exit
    int64_t utc_ms;    // meaningless when the portion is undated
};

// Where a reader of the log is, and what holds there. Plain values: copy one to look ahead.
struct Cursor {
    Place place;
    Stream stream;
    uint16_t boot;
    bool has_offset;
    int64_t offset_ms;
    bool has_since;    // false after damage, until the next sign of life
    int64_t since_ms;  // of boot: not acknowledged yet, and counting, from here on
};

// What one batch tells: crossings of one boot without a break, and the span that may be claimed with them.
struct Portion {
    Stream stream;
    bool dated;  // false: the counter never knew the time of that boot; times are sent as null, from = to
    bool live;   // true: it tells of this very moment; false: more is waiting behind it
    int64_t from_utc_ms;
    int64_t to_utc_ms;
    uint32_t count;
    SentCrossing crossings[kPortionLimit];
    // What acknowledge() and drop() need: where it ends, and the queue it was taken from, since a format in between
    // makes it meaningless.
    Cursor after;
    Place before;
    Stream queue_stream;

    uint32_t through() const { return count ? crossings[count - 1].seq : 0; }
};

enum class Opening {
    kKept,       // went on where it was
    kFormatted,  // there was nothing: a new stream
    kTorn,       // the newest part was destroyed: the rest is kept and a new stream begins
    kFailed,     // the device fails: nothing can be kept, append() will return false
};

class Queue {
   public:
    // An undelivered counter writes a sign of life this often, so that a power cut costs no more of its span.
    static constexpr int64_t kAliveMs = 10 * 60 * 1000;
    // Slots that crossings leave free, for acknowledgements and offsets.
    static constexpr uint32_t kReserve = 16;
    // A clock that is set by no more than this is mended without a step: spans go on without a seam.
    static constexpr int64_t kStepMs = 5000;
    // Changes of the offset below this are not recorded.
    static constexpr int64_t kFineMs = 250;
    // Times may be held back to keep their order, by no more than this; after a longer step back they follow the clock.
    static constexpr int64_t kLongestHoldMs = 300 * 1000;

    // *random* makes stream ids: it must be a true random source, since an id must never come twice.
    Queue(BlockDevice& device, RandomSource& random) : ring_(device), random_(random) {}

    // Opens what is there, or formats. A boot begins, in which the counter counts since *since_ms* (monotonic).
    Opening open(int64_t since_ms);
    // Forgets everything and begins a new stream: a factory reset. Same meaning of *since_ms*.
    bool format(int64_t since_ms);

    // Keeps a crossing. True: it is durable. False: the queue is full or the device failed; it is counted in dropped().
    // Times never decrease.
    bool append(int8_t direction, int64_t time_ms);
    // Tells that every crossing before *settled_ms* was appended. Cheap: writes only after kAliveMs without a record.
    void note_alive(int64_t settled_ms);
    // Tells what to add to monotonic ms to get UTC. *step*: the offset before was wrong, or there was none; what was
    // not sent yet gets its time from this one.
    void note_offset(int64_t offset_ms, bool step);
    // Nobody can be counted from *at_ms* on (a beam is blocked), and then again from *since_ms*: no span covers
    // between.
    void pause(int64_t at_ms);
    void resume(int64_t since_ms);

    // Fills *portion* with the oldest that is not acknowledged, at most *limit* crossings. *settled_ms*: every crossing
    // before it was appended. False: the clock was never set, so nothing can be said.
    bool portion(int64_t settled_ms, uint32_t limit, Portion& portion);
    // Its times may not change any more: it is about to be sent for the first time.
    void freeze(const Portion& portion);
    // Its body was refused, so nothing of it is stored: its times may change again. True: a step dates it anew.
    bool thaw(const Portion& portion);
    // Its single crossing is refused whatever its time is: it is told without one from now on. False: it was already.
    bool undate(const Portion& portion);
    // Forgets what is <= *through*. True if that is all of *portion*, and so its span is covered.
    bool acknowledge(const Portion& portion, uint32_t through);
    // Gives the crossings of *portion* up for ever, and claims no span for them.
    void drop(const Portion& portion);

    uint32_t waiting() const { return waiting_; }
    // Crossings given up since the queue was formatted.
    uint32_t dropped() const { return dropped_ + refused_; }
    uint32_t next_seq() const { return next_seq_; }
    uint16_t boot() const { return boot_; }
    const Stream& stream() const { return stream_; }
    // For replaying a trace whose times go on over boots: every crossing before *time_ms* is durable. False: none is.
    bool resume_point(int64_t& time_ms) const;

   private:
    friend class PortionBuilder;

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
    bool is_current(const Portion& portion) const;
    void move_to(const Cursor& after, uint32_t gone, uint32_t dropped);

    RecordRing ring_;
    RandomSource& random_;
    Stream stream_ = {};
    uint32_t next_seq_ = 1;
    uint32_t waiting_ = 0;
    uint32_t dropped_ = 0;
    uint32_t refused_ = 0;  // crossings that could not be kept, since the last break that was written
    bool is_paused_ = false;
    bool is_held_ = false;  // no span is claimed beyond held_at_ms_ until a break is written
    int64_t held_at_ms_ = 0;
    int64_t refused_until_ms_ = INT64_MIN;  // the latest of them, and one

    uint16_t boot_ = 0;  // this one
    int64_t boot_since_ms_ = 0;
    bool has_offset_ = false;  // of this boot
    int64_t offset_ms_ = 0;
    bool owes_step_ = false;  // a step that is not in the log yet

    // What a reader would know at the end of the log.
    uint16_t log_boot_ = 0;
    bool log_has_offset_ = false;
    int64_t log_offset_ms_ = 0;
    int64_t log_since_ms_ = 0;
    int64_t log_last_ms_ = 0;  // the latest sign of life in it

    Cursor cursor_ = {};       // the oldest that is not acknowledged
    uint32_t frozen_seq_ = 0;  // of stream_: the highest that was sent in this boot, and may be stored
    uint32_t thawed_seq_ = 0;  // the highest that was refused since the latest step
    bool has_undated_ = false;  // the crossing that comes first after undated_ is told without a time
    Place undated_ = {};
    bool has_told_ = false;    // the latest span ended at told_to_ms_ of told_boot_, and was told to end at ..._utc_ms_
    uint16_t told_boot_ = 0;
    int64_t told_to_ms_ = 0;
    int64_t told_to_utc_ms_ = 0;
    int64_t last_stamp_utc_ms_ = 0;
    bool has_resume_ = false;
    int64_t resume_ms_ = 0;

    // The latest step in the log of step_boot_, cached.
    bool step_is_known_ = false;
    uint16_t step_boot_ = 0;
    bool has_step_ = false;
    Place step_place_ = {};
    uint32_t step_after_seq_ = 0;
    int64_t step_offset_ms_ = 0;
};

}  // namespace footfall
