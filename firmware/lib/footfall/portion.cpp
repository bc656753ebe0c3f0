// Queue::portion(): walks from the cursor until a seam, a limit or the end, and says what span is true of it.
//
//     cursor      crossings of one boot      seam
//       |-- t0 t1 ------- t2 -- sign of life --|-- t3 ...        limit 2: ends at t2, which is left behind
//       since                                                    at a seam: ends at the last sign of life
//                                                                at the end of this boot's records: ends now
#include "queue_cursor.h"

namespace footfall {

class PortionBuilder {
   public:
    PortionBuilder(Queue& queue, int64_t settled_ms, uint32_t limit, Portion& portion)
        : queue_(queue),
          settled_ms_(settled_ms),
          portion_(portion),
          at_(queue.cursor_),
          stamp_utc_ms_(queue.last_stamp_utc_ms_) {
        limit_ = limit < 1 ? 1 : limit > kPortionLimit ? kPortionLimit : limit;
        is_undated_ = queue.has_undated_ && !(queue.undated_ < at_.place) && !(at_.place < queue.undated_);
        limit_ = is_undated_ ? 1 : limit_;
        portion_.count = 0;
        portion_.before = queue_.cursor_.place;
        portion_.queue_stream = queue_.stream_;
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

    bool has_content() const { return portion_.count > 0 || (at_.has_since && sign_ms_ > at_.since_ms); }

    // Finds the latest step of this boot that lies ahead, which dates what stands before it.
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

    // Gives the offset of what stands before *cursor*'s place: of a crossing with *seq*.
    bool offset_at(const Cursor& cursor, uint32_t seq, int64_t& offset_ms) const {
        const bool is_before_step = queue_.has_step_ && !(queue_.step_place_ < cursor.place);
        const bool is_free = seq > queue_.step_after_seq_ || seq <= queue_.thawed_seq_;
        if (is_before_step && (is_free || !cursor.has_offset)) {
            offset_ms = queue_.step_offset_ms_;
            return true;
        }
        const bool is_ours = !cursor.has_offset && cursor.boot == queue_.boot_;  // the log had no room for it
        offset_ms = is_ours ? queue_.offset_ms_ : cursor.offset_ms;
        return is_ours ? queue_.has_offset_ : cursor.has_offset;
    }

    // Times keep their order over small corrections of the clock.
    int64_t stamp(int64_t utc_ms) const {
        const bool is_held = utc_ms < stamp_utc_ms_ && stamp_utc_ms_ - utc_ms <= Queue::kLongestHoldMs;
        return is_held ? stamp_utc_ms_ : utc_ms;
    }

    // Takes what *record* tells; false: it is a crossing that goes into a later portion.
    bool take(const Record& record) {
        if (record.kind == Kind::kAlive && record.time_ms > sign_ms_) {
            sign_ms_ = record.time_ms;
        }
        if (record.kind != Kind::kCrossing) {
            return true;
        }
        int64_t offset_ms = 0;
        const bool is_dated = !is_undated_ && offset_at(at_, record.seq, offset_ms);
        if (portion_.count == limit_ || (portion_.count > 0 && is_dated != portion_.dated)) {
            return false;
        }
        if (portion_.count == 0) {
            portion_.dated = is_dated;
        }
        SentCrossing& crossing = portion_.crossings[portion_.count++];
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
        // Of this boot nothing is written yet.
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
        const bool is_sign_later = sign_ms_ > settled_ms_ && portion_.count > 0;
        const int64_t to_ms = is_sign_later ? sign_ms_ : settled_ms_ > at_.since_ms ? settled_ms_ : at_.since_ms;
        if (is_undated_ && portion_.count > 0) {
            portion_.live = false;
            return claim_nothing(sign_ms_);
        }
        portion_.live = true;
        portion_.dated = true;
        claim(queue_.offset_ms_, queue_.offset_ms_, to_ms, to_ms + queue_.offset_ms_);
        return true;
    }

    bool finish_at_seam() {
        portion_.live = false;
        int64_t from_offset_ms = 0;
        int64_t to_offset_ms = 0;
        const bool has_from = offset_at(first_, UINT32_MAX, from_offset_ms);
        if (portion_.count == 0) {
            portion_.dated = has_from || at_.has_offset;
        }
        if (!portion_.dated) {
            return claim_nothing(sign_ms_);
        }
        offset_at(at_, UINT32_MAX, to_offset_ms);
        claim(has_from ? from_offset_ms : to_offset_ms, to_offset_ms, sign_ms_, sign_ms_ + to_offset_ms);
        return true;
    }

    bool finish_before(const Record& left) {
        portion_.live = false;
        int64_t from_offset_ms = 0;
        int64_t to_offset_ms = 0;
        if (!portion_.dated) {
            return claim_nothing(left.time_ms + (is_undated_ ? 1 : 0));  // it may share its instant with the next one
        }
        const bool has_to = offset_at(at_, left.seq, to_offset_ms);
        const bool has_from = offset_at(first_, UINT32_MAX, from_offset_ms);
        const int64_t to_utc_ms = has_to ? stamp(left.time_ms + to_offset_ms) : stamp_utc_ms_;
        claim(has_from ? from_offset_ms : to_offset_ms, to_offset_ms, left.time_ms, to_utc_ms);
        return true;
    }

    // Claims the span from the cursor's since to *to_ms*, which is *to_utc_ms*.
    void claim(int64_t from_offset_ms, int64_t to_offset_ms, int64_t to_ms, int64_t to_utc_ms) {
        const int64_t since_ms = at_.has_since ? at_.since_ms : to_ms;
        int64_t from_utc_ms = since_ms + (at_.has_since ? from_offset_ms : to_offset_ms);
        if (queue_.has_told_ && queue_.told_boot_ == at_.boot && queue_.told_to_ms_ == since_ms) {
            const int64_t off_ms = from_utc_ms - queue_.told_to_utc_ms_;
            if (off_ms <= Queue::kStepMs && off_ms >= -Queue::kStepMs) {
                from_utc_ms = queue_.told_to_utc_ms_;  // no seam where the clock was mended a little
            }
        }
        portion_.from_utc_ms = from_utc_ms;
        portion_.to_utc_ms = to_utc_ms > from_utc_ms ? to_utc_ms : from_utc_ms;
        end_at(to_ms);
    }

    // A boot whose time was never known: its crossings are told, no time is claimed.
    bool claim_nothing(int64_t to_ms) {
        if (!queue_.has_offset_) {
            return false;
        }
        portion_.from_utc_ms = portion_.to_utc_ms = settled_ms_ + queue_.offset_ms_;
        end_at(to_ms);
        return true;
    }

    void end_at(int64_t to_ms) {
        portion_.stream = portion_.live ? queue_.stream_ : at_.stream;
        portion_.after = at_;
        portion_.after.has_since = true;
        portion_.after.since_ms = at_.has_since && at_.since_ms > to_ms ? at_.since_ms : to_ms;
    }

    Queue& queue_;
    int64_t settled_ms_;
    uint32_t limit_ = 0;
    bool is_undated_ = false;
    Portion& portion_;
    Cursor at_;                     // behind what was taken
    Cursor first_ = {};             // where the segment was entered
    int64_t sign_ms_ = kUnknownMs;  // the latest sign of life
    int64_t stamp_utc_ms_;
};

bool Queue::portion(int64_t settled_ms, uint32_t limit, Portion& portion) {
    return PortionBuilder(*this, settled_ms, limit, portion).build();
}

}  // namespace footfall
