#include "crossing_queue.h"

#include <string.h>

#include "queue_cursor.h"

namespace footfall {

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
    // What comes late while nobody can be counted must not draw a span over that time.
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
        has_told_ = false;
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

// Writes down what a reader must know of this boot before its next record.
bool Queue::write_context() {
    if (log_boot_ != boot_) {
        if (!ring_.append(record_of(Kind::kStart, boot_since_ms_), stream_, checkpoint())) {
            return false;
        }
        log_boot_ = boot_;
        log_has_offset_ = false;
        log_since_ms_ = log_last_ms_ = boot_since_ms_;
        owes_step_ = false;  // there is nothing before it in this boot that a step could date
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

// A loss begins a new sector, whose header has the next seq: it cannot come again even if this record is destroyed.
bool Queue::write_break(int64_t since_ms) {
    const uint32_t lost = refused_;
    if (lost > 0) {
        since_ms = since_ms > refused_until_ms_ ? since_ms : refused_until_ms_;  // what is settled lags behind them
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
        write(record_of(Kind::kAlive, held_at_ms_));  // the time before the break was counted to its end
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

void Queue::freeze(const Portion& portion) {
    if (portion.stream == stream_ && portion.through() > frozen_seq_) {
        frozen_seq_ = portion.through();
    }
}

bool Queue::thaw(const Portion& portion) {
    if (!is_current(portion) || portion.count == 0) {
        return false;
    }
    const uint32_t before = portion.crossings[0].seq - 1;
    if (portion.stream == stream_ && before < frozen_seq_) {
        frozen_seq_ = before;
    }
    const bool was_thawed = portion.through() <= thawed_seq_;
    thawed_seq_ = was_thawed ? thawed_seq_ : portion.through();
    const bool may_change = !step_is_known_ || (has_step_ && !(step_place_ < portion.after.place));
    return !was_thawed && may_change;
}

bool Queue::undate(const Portion& portion) {
    if (!is_current(portion) || portion.count != 1 || !portion.dated) {
        return false;
    }
    has_undated_ = true;
    undated_ = portion.before;
    return true;
}

bool Queue::is_current(const Portion& portion) const {
    return portion.queue_stream == stream_ && !(portion.before < cursor_.place) && !(cursor_.place < portion.before);
}

bool Queue::acknowledge(const Portion& portion, uint32_t through) {
    if (!is_current(portion)) {
        return false;
    }
    for (uint32_t i = 0; portion.dated && i < portion.count && portion.crossings[i].seq <= through; i++) {
        last_stamp_utc_ms_ = portion.crossings[i].utc_ms;
    }
    if (portion.count > 0 && through < portion.through()) {
        Cursor at = cursor_;
        uint32_t gone = 0;
        for (;;) {
            const Ahead ahead = look_ahead(ring_, at);
            const bool is_crossing = ahead.read == RecordRing::Read::kRecord && ahead.record.kind == Kind::kCrossing;
            if (ahead.read == RecordRing::Read::kEnd || (is_crossing && ahead.record.seq > through)) {
                break;
            }
            pass(at, ahead);
            gone += is_crossing ? 1 : 0;
        }
        if (gone > 0) {
            move_to(at, gone, 0);
        }
        return false;
    }
    has_told_ = portion.dated;
    told_boot_ = portion.after.boot;
    told_to_ms_ = portion.after.since_ms;
    told_to_utc_ms_ = portion.to_utc_ms;
    const bool is_shared = portion.stream == stream_ && through >= next_seq_;
    move_to(portion.after, portion.count, 0);
    if (is_shared) {
        new_stream();  // the server knows seqs that were never given here: this flash is an old copy
    }
    return true;
}

void Queue::drop(const Portion& portion) {
    if (!is_current(portion)) {
        return;
    }
    has_told_ = false;
    Cursor after = portion.after;
    if (portion.dated && portion.count > 0 && portion.crossings[portion.count - 1].utc_ms >= portion.to_utc_ms) {
        after.since_ms++;  // the instant that a dropped crossing shares with the next one is not claimed either
    }
    move_to(after, portion.count, portion.count);
}

// Acknowledgements of empty portions are not written: after a reboot the same span is only claimed again.
void Queue::move_to(const Cursor& after, uint32_t gone, uint32_t dropped) {
    cursor_ = after;
    waiting_ -= gone;
    ring_.release(after.place);
    if (gone > 0) {
        Record record = record_of(Kind::kAcknowledged, after.has_since ? after.since_ms : kUnknownMs);
        record.boot = after.boot;
        record.seq = after.place.generation;
        record.amount = after.place.slot | dropped << 16;
        ring_.append(record, stream_, checkpoint());  // if there is no room, a reboot only sends them once more
    }
    dropped_ += dropped;
}

}  // namespace footfall
