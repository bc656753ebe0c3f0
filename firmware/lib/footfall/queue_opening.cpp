// Opening a queue: what is there, where it ends, and what of it is not acknowledged.
#include "crossing_queue.h"
#include "queue_cursor.h"

namespace footfall {

Opening Queue::open(int64_t since_ms) {
    boot_since_ms_ = since_ms;
    const Opening opening = recover(ring_.open());
    // A boot that wrote nothing may still have been covered: its number is not used again.
    const uint16_t covered_ahead = static_cast<uint16_t>(cursor_.boot - log_boot_);
    boot_ = static_cast<uint16_t>((covered_ahead < 0x8000 ? cursor_.boot : log_boot_) + 1);
    return opening;
}

Opening Queue::recover(RecordRing::Found found) {
    switch (found) {
        case RecordRing::Found::kNoDevice:
            return Opening::kFailed;
        case RecordRing::Found::kNothing:
            return begin_stream(false) ? Opening::kFormatted : Opening::kFailed;
        default:
            replay_head();
            count_waiting();
    }
    if (found == RecordRing::Found::kRecords) {
        return Opening::kKept;
    }
    new_stream();  // its first record begins a sector
    return Opening::kTorn;
}

void Queue::new_stream() {
    for (unsigned i = 0; i < kStreamBytes; i++) {
        stream_.bytes[i] = static_cast<uint8_t>(random_.next());
    }
    next_seq_ = 1;
    frozen_seq_ = thawed_seq_ = 0;
}

bool Queue::begin_stream(bool erase_all) {
    new_stream();
    waiting_ = dropped_ = refused_ = 0;
    is_held_ = is_paused_;
    has_told_ = log_has_offset_ = has_undated_ = false;
    log_boot_ = boot_;
    cursor_ = Cursor{};
    cursor_.place = {1, 0};
    cursor_.stream = stream_;
    cursor_.boot = log_boot_;
    step_is_known_ = false;
    return ring_.format(stream_, checkpoint(), erase_all);
}

bool Queue::format(int64_t since_ms) {
    boot_since_ms_ = since_ms;
    const bool done = begin_stream(true);
    boot_++;
    owes_step_ = false;
    return done;
}

// Takes from the newest sector what holds at the end of the log.
void Queue::replay_head() {
    const Header& head = ring_.head();
    Checkpoint now = head.checkpoint;
    log_last_ms_ = now.since_ms;
    Place place = {head.generation, 0};
    Record record = {};
    Stream stream = {};
    for (RecordRing::Read read; (read = ring_.read(place, record, stream)) != RecordRing::Read::kEnd;) {
        if (read == RecordRing::Read::kDamage) {
            now.next_seq++;  // it may have been a crossing whose number was used
            continue;
        }
        if (record.kind == Kind::kAcknowledged) {
            now.done = {record.seq, record.amount & 0xffff};
            now.dropped += record.amount >> 16;
            now.covered_boot = record.boot;
            now.covered_ms = record.time_ms;
            continue;
        }
        now.has_offset = record.kind == Kind::kOffset || (now.has_offset && record.boot == now.boot);
        now.boot = record.boot;
        if (record.kind == Kind::kOffset) {
            now.offset_ms = record.time_ms;
        } else {
            log_last_ms_ = record.time_ms;
        }
        if (record.kind == Kind::kCrossing) {
            now.next_seq = record.seq + 1;
        }
    }
    stream_ = head.stream;
    next_seq_ = now.next_seq;
    dropped_ = now.dropped;
    log_boot_ = now.boot;
    log_has_offset_ = now.has_offset;
    log_offset_ms_ = now.offset_ms;
    seek_cursor(now.done, now.covered_boot, now.covered_ms);
}

// Puts the cursor where the acknowledged ends: from the start of that sector, over what is done.
void Queue::seek_cursor(Place done, uint16_t covered_boot, int64_t covered_ms) {
    Header header = {};
    cursor_ = Cursor{};
    cursor_.place = done;
    if (ring_.read_header(done.generation, header)) {
        cursor_.place.slot = 0;
        cursor_.stream = header.stream;
        cursor_.boot = header.checkpoint.boot;
        cursor_.has_offset = header.checkpoint.has_offset;
        cursor_.offset_ms = header.checkpoint.offset_ms;
        while (cursor_.place < done) {
            const Ahead ahead = look_ahead(ring_, cursor_);
            if (ahead.read == RecordRing::Read::kEnd || done < ahead.place) {
                break;
            }
            pass(cursor_, ahead);
        }
        cursor_.place = done;
        cursor_.has_offset = cursor_.has_offset && cursor_.boot == covered_boot;
        cursor_.has_since = covered_ms != kUnknownMs;
    }
    cursor_.boot = covered_boot;
    cursor_.since_ms = covered_ms;
    has_resume_ = covered_ms != kUnknownMs;
    resume_ms_ = covered_ms;
    ring_.release(cursor_.place);
}

void Queue::count_waiting() {
    waiting_ = 0;
    Cursor at = cursor_;
    for (;;) {
        const Ahead ahead = look_ahead(ring_, at);
        if (ahead.read == RecordRing::Read::kEnd) {
            return;
        }
        pass(at, ahead);
        if (ahead.read == RecordRing::Read::kRecord && ahead.record.kind == Kind::kCrossing) {
            waiting_++;
            resume_ms_ = has_resume_ && resume_ms_ > ahead.record.time_ms ? resume_ms_ : ahead.record.time_ms + 1;
            has_resume_ = true;
        }
    }
}

bool Queue::resume_point(int64_t& time_ms) const {
    time_ms = resume_ms_;
    return has_resume_;
}

}  // namespace footfall
