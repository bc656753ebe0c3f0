#include "queue/outgoing_batch.h"

#include "queue/crossing_queue.h"

namespace footfall {

// Queue::next_batch() reads from the cursor to a seam, the limit or the end of the log, and computes the span.
//
//     cursor      crossings of one boot      seam
//       |-- t0 t1 ------- t2 -- sign of life --|-- t3 ...        limit 2: the span ends at t2, which stays behind
//       since                                                    seam: the span ends at the last sign of life
//                                                                end of this boot's records: the span ends now
class BatchBuilder {
   public:
    BatchBuilder(Queue& queue, int64_t settled_ms, uint32_t limit, OutgoingBatch& batch)
        : queue_(queue),
          settled_ms_(settled_ms),
          batch_(batch),
          at_(queue.cursor_),
          stamp_utc_ms_(queue.last_stamp_utc_ms_) {
        limit_ = limit < 1 ? 1 : limit > kBatchLimit ? kBatchLimit : limit;
        is_undated_ = queue.has_undated_ && !(queue.undated_ < at_.place) && !(at_.place < queue.undated_);
        limit_ = is_undated_ ? 1 : limit_;
        batch_.count = 0;
        batch_.before = queue_.cursor_.place;
        batch_.queue_stream = queue_.stream_;
        if (queue_.is_held_ && settled_ms_ > queue_.held_at_ms_) {
            settled_ms_ = queue_.held_at_ms_;
        }
        enter_segment();
    }

    bool build() {
        for (;;) {
            const Ahead ahead = look_ahead(queue_.ring_, at_);
            if (ahead.read == RecordRing::Read::kEnd) {
                at_.place = ahead.place;
                return finish_at_end();
            }
            if (ahead.is_seam && has_content()) {
                return finish_at_seam();
            }
            const Cursor before = at_;
            pass(at_, ahead);
            if (ahead.is_seam) {
                enter_segment();
            }
            if (ahead.read == RecordRing::Read::kRecord && !take(ahead.record)) {
                at_ = before;
                return finish_before(ahead.record);
            }
        }
    }

   private:
    void enter_segment() {
        first_ = at_;
        sign_ms_ = at_.has_since ? at_.since_ms : kUnknownMs;
        find_step();
    }

    bool has_content() const { return batch_.count > 0 || (at_.has_since && sign_ms_ > at_.since_ms); }

    // Finds the last step of this boot that lies ahead: it dates the records before it.
    void find_step() {
        if (queue_.step_is_known_ && queue_.step_boot_ == at_.boot) {
            return;
        }
        queue_.step_is_known_ = true;
        queue_.step_boot_ = at_.boot;
        queue_.has_step_ = false;
        Cursor probe = at_;
        for (;;) {
            const Place place = probe.place;
            const Ahead ahead = look_ahead(queue_.ring_, probe);
            if (ahead.read == RecordRing::Read::kEnd) {
                return;
            }
            pass(probe, ahead);
            if (probe.boot != at_.boot || !(probe.stream == at_.stream)) {
                return;
            }
            if (ahead.read == RecordRing::Read::kRecord && ahead.record.kind == Kind::kOffset &&
                ahead.record.mark == 1) {
                queue_.has_step_ = true;
                queue_.step_place_ = place;
                queue_.step_after_seq_ = ahead.record.seq;
                queue_.step_offset_ms_ = ahead.record.time_ms;
            }
        }
    }

    // Returns whether the offset of the crossing *seq*, read at *cursor*, is known, and the offset.
    bool offset_at(const Cursor& cursor, uint32_t seq, int64_t& offset_ms) const {
        const bool is_before_step = queue_.has_step_ && !(queue_.step_place_ < cursor.place);
        const bool is_free = seq > queue_.step_after_seq_ || seq <= queue_.thawed_seq_;
        if (is_before_step && (is_free || !cursor.has_offset)) {
            offset_ms = queue_.step_offset_ms_;
            return true;
        }
        const bool is_ours = !cursor.has_offset && cursor.boot == queue_.boot_;  // the log had no room for the offset
        offset_ms = is_ours ? queue_.offset_ms_ : cursor.offset_ms;
        return is_ours ? queue_.has_offset_ : cursor.has_offset;
    }

    // Holds a time back after a small correction of the clock, so that times never decrease.
    int64_t stamp(int64_t utc_ms) const {
        const bool is_held = utc_ms < stamp_utc_ms_ && stamp_utc_ms_ - utc_ms <= Queue::kLongestHoldMs;
        return is_held ? stamp_utc_ms_ : utc_ms;
    }

    // Adds *record* to the batch. False if it is a crossing for a later batch.
    bool take(const Record& record) {
        if (record.kind == Kind::kAlive && record.time_ms > sign_ms_) {
            sign_ms_ = record.time_ms;
        }
        if (record.kind != Kind::kCrossing) {
            return true;
        }
        int64_t offset_ms = 0;
        const bool is_dated = !is_undated_ && offset_at(at_, record.seq, offset_ms);
        if (batch_.count == limit_ || (batch_.count > 0 && is_dated != batch_.dated)) {
            return false;
        }
        if (batch_.count == 0) {
            batch_.dated = is_dated;
        }
        SentCrossing& crossing = batch_.crossings[batch_.count++];
        crossing.seq = record.seq;
        crossing.direction = record.mark;
        crossing.utc_ms = is_dated ? stamp(record.time_ms + offset_ms) : 0;
        stamp_utc_ms_ = is_dated ? crossing.utc_ms : stamp_utc_ms_;
        if (record.time_ms + 1 > sign_ms_) {
            sign_ms_ = record.time_ms + 1;
        }
        return true;
    }

    bool finish_at_end() {
        if (at_.boot == queue_.boot_) {
            return finish_live();
        }
        if (has_content()) {
            return finish_at_seam();
        }
        // This boot has no record yet.
        at_.boot = queue_.boot_;
        at_.has_offset = false;
        at_.has_since = queue_.log_boot_ != queue_.boot_;
        at_.since_ms = queue_.boot_since_ms_;
        first_ = at_;
        return finish_live();
    }

    bool finish_live() {
        if (!queue_.has_offset_) {
            return false;
        }
        if (!at_.has_since) {
            at_.has_since = true;
            at_.since_ms = settled_ms_;
        }
        const bool is_sign_later = sign_ms_ > settled_ms_ && batch_.count > 0;
        const int64_t to_ms = is_sign_later ? sign_ms_ : settled_ms_ > at_.since_ms ? settled_ms_ : at_.since_ms;
        if (is_undated_ && batch_.count > 0) {
            batch_.live = false;
            return claim_nothing(sign_ms_);
        }
        batch_.live = true;
        batch_.dated = true;
        claim(queue_.offset_ms_, queue_.offset_ms_, to_ms, to_ms + queue_.offset_ms_);
        return true;
    }

    bool finish_at_seam() {
        batch_.live = false;
        int64_t from_offset_ms = 0;
        int64_t to_offset_ms = 0;
        const bool has_from = offset_at(first_, UINT32_MAX, from_offset_ms);
        if (batch_.count == 0) {
            batch_.dated = has_from || at_.has_offset;
        }
        if (!batch_.dated) {
            return claim_nothing(sign_ms_);
        }
        offset_at(at_, UINT32_MAX, to_offset_ms);
        claim(has_from ? from_offset_ms : to_offset_ms, to_offset_ms, sign_ms_, sign_ms_ + to_offset_ms);
        return true;
    }

    bool finish_before(const Record& left) {
        batch_.live = false;
        int64_t from_offset_ms = 0;
        int64_t to_offset_ms = 0;
        if (!batch_.dated) {
            return claim_nothing(left.time_ms + (is_undated_ ? 1 : 0));  // *left* may have the same time
        }
        const bool has_to = offset_at(at_, left.seq, to_offset_ms);
        const bool has_from = offset_at(first_, UINT32_MAX, from_offset_ms);
        const int64_t to_utc_ms = has_to ? stamp(left.time_ms + to_offset_ms) : stamp_utc_ms_;
        claim(has_from ? from_offset_ms : to_offset_ms, to_offset_ms, left.time_ms, to_utc_ms);
        return true;
    }

    // Sets the span, which ends at *to_ms*, in UTC *to_utc_ms*.
    void claim(int64_t from_offset_ms, int64_t to_offset_ms, int64_t to_ms, int64_t to_utc_ms) {
        const int64_t since_ms = at_.has_since ? at_.since_ms : to_ms;
        int64_t from_utc_ms = since_ms + (at_.has_since ? from_offset_ms : to_offset_ms);
        if (queue_.has_sent_span_ && queue_.sent_boot_ == at_.boot && queue_.sent_to_ms_ == since_ms) {
            const int64_t off_ms = from_utc_ms - queue_.sent_to_utc_ms_;
            if (off_ms <= Queue::kStepMs && off_ms >= -Queue::kStepMs) {
                from_utc_ms = queue_.sent_to_utc_ms_;  // no seam after a small correction of the clock
            }
        }
        batch_.from_utc_ms = from_utc_ms;
        batch_.to_utc_ms = to_utc_ms > from_utc_ms ? to_utc_ms : from_utc_ms;
        end_at(to_ms);
    }

    // Sets an empty span, for crossings whose time is unknown.
    bool claim_nothing(int64_t to_ms) {
        if (!queue_.has_offset_) {
            return false;
        }
        batch_.from_utc_ms = batch_.to_utc_ms = settled_ms_ + queue_.offset_ms_;
        end_at(to_ms);
        return true;
    }

    void end_at(int64_t to_ms) {
        batch_.stream = batch_.live ? queue_.stream_ : at_.stream;
        batch_.after = at_;
        batch_.after.has_since = true;
        batch_.after.since_ms = at_.has_since && at_.since_ms > to_ms ? at_.since_ms : to_ms;
    }

    Queue& queue_;
    int64_t settled_ms_;
    uint32_t limit_ = 0;
    bool is_undated_ = false;
    OutgoingBatch& batch_;
    Cursor at_;                     // after the records taken
    Cursor first_ = {};             // the start of the segment between two seams
    int64_t sign_ms_ = kUnknownMs;  // the last sign of life
    int64_t stamp_utc_ms_;
};

bool Queue::next_batch(int64_t settled_ms, uint32_t limit, OutgoingBatch& batch) {
    return BatchBuilder(*this, settled_ms, limit, batch).build();
}

void Queue::freeze(const OutgoingBatch& batch) {
    if (batch.stream == stream_ && batch.through() > frozen_seq_) {
        frozen_seq_ = batch.through();
    }
}

bool Queue::thaw(const OutgoingBatch& batch) {
    if (!is_current(batch) || batch.count == 0) {
        return false;
    }
    const uint32_t before = batch.crossings[0].seq - 1;
    if (batch.stream == stream_ && before < frozen_seq_) {
        frozen_seq_ = before;
    }
    const bool was_thawed = batch.through() <= thawed_seq_;
    thawed_seq_ = was_thawed ? thawed_seq_ : batch.through();
    const bool may_change = !step_is_known_ || (has_step_ && !(step_place_ < batch.after.place));
    return !was_thawed && may_change;
}

bool Queue::undate(const OutgoingBatch& batch) {
    if (!is_current(batch) || batch.count != 1 || !batch.dated) {
        return false;
    }
    has_undated_ = true;
    undated_ = batch.before;
    return true;
}

bool Queue::is_current(const OutgoingBatch& batch) const {
    return batch.queue_stream == stream_ && !(batch.before < cursor_.place) && !(cursor_.place < batch.before);
}

bool Queue::acknowledge(const OutgoingBatch& batch, uint32_t through) {
    if (!is_current(batch)) {
        return false;
    }
    for (uint32_t i = 0; batch.dated && i < batch.count && batch.crossings[i].seq <= through; i++) {
        last_stamp_utc_ms_ = batch.crossings[i].utc_ms;
    }
    if (batch.count > 0 && through < batch.through()) {
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
    has_sent_span_ = batch.dated;
    sent_boot_ = batch.after.boot;
    sent_to_ms_ = batch.after.since_ms;
    sent_to_utc_ms_ = batch.to_utc_ms;
    const bool is_shared = batch.stream == stream_ && through >= next_seq_;
    move_to(batch.after, batch.count, 0);
    if (is_shared) {
        new_stream();  // the server has seqs that this queue never gave: this flash is an old copy
    }
    return true;
}

void Queue::drop(const OutgoingBatch& batch) {
    if (!is_current(batch)) {
        return;
    }
    has_sent_span_ = false;
    Cursor after = batch.after;
    if (batch.dated && batch.count > 0 && batch.crossings[batch.count - 1].utc_ms >= batch.to_utc_ms) {
        after.since_ms++;  // the next span must not cover the dropped crossing's last millisecond
    }
    move_to(after, batch.count, batch.count);
}

// The acknowledgement of an empty batch is not written: after a reboot the queue only claims the same span again.
void Queue::move_to(const Cursor& after, uint32_t gone, uint32_t dropped) {
    cursor_ = after;
    waiting_ -= gone;
    ring_.release(after.place);
    if (gone > 0) {
        Record record = record_of(Kind::kAcknowledged, after.has_since ? after.since_ms : kUnknownMs);
        record.boot = after.boot;
        record.seq = after.place.generation;
        record.amount = after.place.slot | dropped << 16;
        ring_.append(record, stream_, checkpoint());  // without room for it, a reboot only resends the crossings
    }
    dropped_ += dropped;
}

}  // namespace footfall
