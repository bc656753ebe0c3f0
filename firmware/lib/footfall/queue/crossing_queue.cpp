#include "queue/crossing_queue.h"

#include <string.h>

namespace footfall {

Opening Queue::open(int64_t since_ms) {
    boot_since_ms_ = since_ms;
    const Opening opening = recover(ring_.open());
    // The acknowledged span may end in a boot that wrote no record. Its number must not be reused.
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
    has_sent_span_ = log_has_offset_ = has_undated_ = false;
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

// Reads the newest sector to learn the state at the end of the log.
void Queue::replay_head() {
    const Header& head = ring_.head();
    Checkpoint now = head.checkpoint;
    log_last_ms_ = now.since_ms;
    Place place = {head.generation, 0};
    Record record = {};
    Stream stream = {};
    for (RecordRing::Read read; (read = ring_.read(place, record, stream)) != RecordRing::Read::kEnd;) {
        if (read == RecordRing::Read::kDamage) {
            now.next_seq++;  // it may have been a crossing that used up a seq
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

// Puts the cursor at *done*: reads from the start of its sector to learn the state there.
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

Checkpoint Queue::checkpoint() const {
    Checkpoint point = {};
    point.next_seq = next_seq_;
    point.dropped = dropped_;
    point.boot = log_boot_;
    point.has_offset = log_has_offset_;
    point.offset_ms = log_offset_ms_;
    point.since_ms = log_since_ms_;
    point.done = cursor_.place;
    point.covered_boot = cursor_.boot;
    point.covered_ms = cursor_.has_since ? cursor_.since_ms : kUnknownMs;
    return point;
}

Record Queue::record_of(Kind kind, int64_t time_ms) const {
    Record record = {};
    record.kind = kind;
    record.boot = boot_;
    record.time_ms = time_ms;
    return record;
}

bool Queue::append(int8_t direction, int64_t time_ms) {
    // A crossing that is decided late, during a pause, must not extend the span into the pause.
    const bool needs_break = is_held_ && (refused_ > 0 || !is_paused_ || time_ms >= held_at_ms_);
    if (ring_.room() <= kReserve || (needs_break && !write_break(time_ms))) {
        refuse(time_ms);
        return false;
    }
    Record record = record_of(Kind::kCrossing, time_ms);
    record.mark = direction;
    record.seq = next_seq_;
    if (!write(record)) {
        refuse(time_ms);
        return false;
    }
    next_seq_++;
    waiting_++;
    return true;
}

void Queue::refuse(int64_t time_ms) {
    refused_++;
    refused_until_ms_ = refused_until_ms_ > time_ms ? refused_until_ms_ : time_ms + 1;
    if (!is_held_) {
        is_held_ = true;
        held_at_ms_ = time_ms;
    }
}

void Queue::note_alive(int64_t settled_ms) {
    if (is_paused_) {
        return;
    }
    if (is_held_) {
        if (ring_.room() > kReserve && settled_ms > held_at_ms_) {
            write_break(settled_ms);
        }
        return;
    }
    int64_t last_ms = log_boot_ == boot_ ? log_last_ms_ : boot_since_ms_;
    if (cursor_.boot == boot_ && cursor_.has_since && cursor_.since_ms > last_ms) {
        last_ms = cursor_.since_ms;
    }
    const uint32_t half = ring_.sector_count() / 2 * ring_.slots_per_sector();
    if (settled_ms - last_ms >= kAliveMs && ring_.room() > half) {
        write(record_of(Kind::kAlive, settled_ms));
    }
}

void Queue::note_offset(int64_t offset_ms, bool step) {
    const bool is_first = !has_offset_;
    offset_ms_ = offset_ms;
    has_offset_ = true;
    owes_step_ = owes_step_ || step || is_first;
    if (step) {
        has_sent_span_ = false;
        thawed_seq_ = 0;
    }
    if (log_boot_ == boot_) {
        write_context();
    }
}

void Queue::pause(int64_t at_ms) {
    is_paused_ = true;
    if (!is_held_) {
        is_held_ = true;
        held_at_ms_ = at_ms;
    }
}

void Queue::resume(int64_t since_ms) {
    if (is_paused_) {
        is_paused_ = false;
        write_break(since_ms);
    }
}

bool Queue::write(const Record& record) {
    if (!write_context() || !ring_.append(record, stream_, checkpoint())) {
        return false;
    }
    log_last_ms_ = record.time_ms;
    return true;
}

// Writes what a reader must know of this boot before its next record: its start and its offset.
bool Queue::write_context() {
    if (log_boot_ != boot_) {
        if (!ring_.append(record_of(Kind::kStart, boot_since_ms_), stream_, checkpoint())) {
            return false;
        }
        log_boot_ = boot_;
        log_has_offset_ = false;
        log_since_ms_ = log_last_ms_ = boot_since_ms_;
        owes_step_ = false;  // this boot has no earlier record that a step could date
    }
    const int64_t off_ms = offset_ms_ - log_offset_ms_;
    const bool is_new = !log_has_offset_ || owes_step_ || off_ms >= kFineMs || off_ms <= -kFineMs;
    if (!has_offset_ || !is_new) {
        return true;
    }
    Record record = record_of(Kind::kOffset, offset_ms_);
    record.mark = owes_step_ ? 1 : 0;
    record.seq = frozen_seq_;
    const bool written = ring_.append(record, stream_, checkpoint());
    if (written) {
        log_has_offset_ = true;
        log_offset_ms_ = offset_ms_;
        owes_step_ = false;
        step_is_known_ = false;
    }
    return written;
}

// A loss begins a new sector. Its header stores the next seq, so the lost seqs stay used even if the break is
// destroyed.
bool Queue::write_break(int64_t since_ms) {
    const uint32_t lost = refused_;
    if (lost > 0) {
        since_ms = since_ms > refused_until_ms_ ? since_ms : refused_until_ms_;  // may lag behind them
        next_seq_ += lost;
        dropped_ += lost;
        refused_ = 0;
        if (!ring_.begin_sector(stream_, checkpoint())) {
            next_seq_ -= lost;
            dropped_ -= lost;
            refused_ = lost;
            return false;
        }
    }
    if (held_at_ms_ > (log_boot_ == boot_ ? log_last_ms_ : boot_since_ms_)) {
        write(record_of(Kind::kAlive, held_at_ms_));  // everything up to the break was counted
    }
    Record record = record_of(Kind::kBreak, since_ms);
    record.amount = lost;
    if (!write(record)) {
        return false;
    }
    log_since_ms_ = since_ms;
    is_held_ = is_paused_;
    return true;
}

}  // namespace footfall
