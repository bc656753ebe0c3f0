// Tears queues: simulates many short worlds of a counter, its flash, its server and the people who really passed.
//
//     fuzz_queue COUNT SEED      Makes COUNT power cuts at random moments. Prints a summary and exits with 0, or prints
//                                the first broken promise with the seed of its world and exits with 1
//
// In every world no (stream, seq) names two crossings, every crossing that append() promised arrives, every arrival was
// a real crossing with its time, and no span at the server covers a crossing that is missing there. A third of the
// worlds also damage the flash (bytes, whole sectors, an interrupted format): there destroyed crossings may be missing,
// and all other promises hold.
#include <stdio.h>
#include <stdlib.h>

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "queue/bytes.h"
#include "queue/crossing_queue.h"

#include "memory_device.h"
#include "seeded_random.h"

using footfall::OutgoingBatch;
using footfall::Queue;

namespace {

struct Passing {
    int64_t utc_ms;
    int8_t direction;
    bool arrived;
};
using Key = std::pair<uint64_t, uint32_t>;

uint64_t number_of(const footfall::Stream& stream) { return footfall::get_le(stream.bytes, footfall::kStreamBytes); }

class World {
   public:
    explicit World(uint64_t seed) : throws_(seed), ids_(~seed) {
        is_damaging_ = throws_.below(3) == 0;
        is_stepping_ = throws_.below(4) == 0;
        device_ = std::make_unique<MemoryDevice>(256 + 24 * throws_.below(8), 5 + throws_.below(6),
                                                 static_cast<uint8_t>(throws_.below(2) ? 0xff : throws_.next()));
        device_->seed = throws_.next();
    }

    // Runs *lives* times to a power cut, then drains the queue. False if a promise was broken.
    bool run(uint32_t lives) {
        for (uint32_t life = 0; life < lives && !broken_; life++) {
            live(throws_.below(4) ? throws_.below(700) : throws_.below(40));
            now_ms_ += 1000;
            pass_unseen();
            if (is_damaging_ && throws_.below(2) == 0) {
                damage();
            }
        }
        drain();
        return broken_ == nullptr;
    }

    const char* broken() const { return broken_; }

   private:
    void live(int64_t power) {
        device_->fail_after(power);
        boot();
        for (int step = 0; step < 60 && device_->has_power && !broken_; step++) {
            now_ms_ += 2 + throws_.below(5000);
            act(throws_.below(20));
        }
        check(!device_->misused, "flash was written twice without an erase");
    }

    void act(uint32_t what) {
        if (what < 10) {
            pass();
        } else if (what < 15) {
            send(throws_.below(5) == 0);
        } else if (what < 16) {
            now_ms_ += throws_.below(2) ? Queue::kAliveMs : 0;
            queue_->note_alive(settled());
        } else if (what < 18) {
            const int64_t off_ms =
                is_stepping_ && throws_.below(2) ? static_cast<int64_t>(throws_.below(20'000'000)) : 0;
            queue_->note_offset(base_ms_ + off_ms, is_stepping_ || !has_clock_);
            has_clock_ = true;
        } else if (what < 19) {
            queue_->pause(settled());
            now_ms_ += 5000;
            pass_unseen();
            if (throws_.below(3) == 0) {
                pass();  // decided late
            }
            queue_->resume(mono());
            settled_ms_ = mono();
        } else if (is_damaging_ && throws_.below(20) == 0) {
            settled_ms_ = mono();
            queue_->format(mono());
        }
    }

    void boot() {
        base_ms_ = now_ms_ - throws_.below(1000);
        has_clock_ = false;
        queue_ = std::make_unique<Queue>(*device_, ids_);
        settled_ms_ = mono();
        queue_->open(mono());
    }

    int64_t mono() const { return now_ms_ - base_ms_; }

    // The settled time lags behind while somebody is in the beams.
    int64_t settled() {
        const int64_t settled_ms = mono() - (throws_.below(2) ? throws_.below(60'000) : 0);
        settled_ms_ = settled_ms > settled_ms_ ? settled_ms : settled_ms_;
        return settled_ms_;
    }

    void pass_unseen() {
        truth_.push_back({now_ms_, 1, false});
        now_ms_ += 5;
    }

    void pass() {
        const int8_t direction = throws_.below(2) ? 1 : -1;
        truth_.push_back({now_ms_, direction, false});
        const Key key = {number_of(queue_->stream()), queue_->next_seq()};
        const uint32_t waiting = queue_->waiting();
        if (queue_->append(direction, mono())) {
            const Key kept = {key.first, queue_->next_seq() - 1};  // later than *key* if crossings were lost before
            check(queue_->waiting() == waiting + 1, "the number of waiting crossings is wrong");
            check(named_.emplace(kept, truth_.size() - 1).second, "a name was given twice");
            promised_.push_back(truth_.size() - 1);
        } else if (!device_->has_power) {
            unsure_[{key.first, queue_->next_seq()}] = truth_.size() - 1;
        }
        now_ms_ += 2;
    }

    // Sends one batch. The server stores it even if the answer is lost.
    bool send(bool is_answer_lost) {
        OutgoingBatch batch;
        if (!queue_->next_batch(settled(), 1 + throws_.below(6), batch)) {
            return false;
        }
        queue_->freeze(batch);
        for (uint32_t i = 0; i < batch.count; i++) {
            arrive(number_of(batch.stream), batch.crossings[i], batch.dated);
        }
        check(batch.from_utc_ms <= batch.to_utc_ms, "a span ends before it starts");
        spans_.push_back({batch.from_utc_ms, batch.to_utc_ms});
        if (is_answer_lost) {
            return true;
        }
        const bool is_partial = batch.count > 1 && throws_.below(8) == 0;
        const uint32_t through = is_partial ? batch.crossings[batch.count / 2 - 1].seq : batch.through();
        check(queue_->acknowledge(batch, through) != is_partial, "an acknowledgement was misunderstood");
        now_ms_ += 2;
        return !batch.live || batch.count > 0;
    }

    void arrive(uint64_t stream, const footfall::SentCrossing& crossing, bool is_dated) {
        const Key key = {stream, crossing.seq};
        if (named_.count(key) == 0) {
            const auto found = unsure_.find(key);  // being written when the power failed
            check(found != unsure_.end(), "a crossing arrived that never happened");
            if (broken_) {
                return;
            }
            named_.emplace(key, found->second);
        }
        const size_t who = named_[key];
        check(truth_[who].direction == crossing.direction, "a crossing changed its direction");
        check(!is_dated || is_stepping_ || truth_[who].utc_ms == crossing.utc_ms, "a crossing changed its time");
        truth_[who].arrived = true;
    }

    void damage() {
        const uint32_t size = device_->sector_size();
        switch (throws_.below(4)) {
            case 0:
                for (uint32_t i = 1 + throws_.below(20); i > 0; i--) {
                    device_->bytes[throws_.next() % device_->bytes.size()] = static_cast<uint8_t>(throws_.below(255));
                }
                break;
            case 1:
                memset(device_->at(throws_.below(device_->sector_count()), 0), 0xff, size);
                break;
            case 2:
                for (uint32_t i = throws_.below(device_->sector_count()); i > 0; i--) {
                    memset(device_->at(throws_.below(device_->sector_count()), 0), 0xff, size);
                }
                break;
            default:
                for (uint32_t i = throws_.below(size), sector = throws_.below(device_->sector_count()); i < size; i++) {
                    *device_->at(sector, i) = static_cast<uint8_t>(throws_.below(255));
                }
        }
    }

    void drain() {
        device_->fail_after(-1);
        boot();
        queue_->note_offset(base_ms_, true);
        now_ms_ += 120'000;
        for (int i = 0; i < 100'000 && !broken_ && (send(false) || queue_->waiting() > 0); i++) {
        }
        check(queue_->waiting() == 0, "a crossing waits for ever");
        for (const size_t one : promised_) {
            check(truth_[one].arrived || is_damaging_, "a promised crossing is lost");
        }
        for (const Passing& one : truth_) {
            for (const auto& [from_utc_ms, to_utc_ms] : spans_) {
                const bool is_claimed = from_utc_ms <= one.utc_ms && one.utc_ms < to_utc_ms;
                check(!is_claimed || one.arrived || is_stepping_, "a span covers a missing crossing");
            }
        }
    }

    void check(bool holds, const char* promise) {
        if (!holds && !broken_) {
            broken_ = promise;
        }
    }

    SeededRandom throws_;
    SeededRandom ids_;
    bool is_damaging_;
    bool is_stepping_;
    std::unique_ptr<MemoryDevice> device_;
    std::unique_ptr<Queue> queue_;
    bool has_clock_ = false;
    int64_t now_ms_ = 1'777'874'400'000;
    int64_t base_ms_ = 0;
    int64_t settled_ms_ = 0;
    std::vector<Passing> truth_;
    std::vector<size_t> promised_;  // append() returned true
    std::map<Key, size_t> unsure_;  // the power failed during append()
    std::map<Key, size_t> named_;
    std::vector<std::pair<int64_t, int64_t>> spans_;
    const char* broken_ = nullptr;
};

}  // namespace

int main(int count, char** words) {
    if (count != 3) {
        fprintf(stderr, "usage: fuzz_queue COUNT SEED\n");
        return 2;
    }
    constexpr uint32_t kLives = 10;
    const uint64_t cuts = strtoull(words[1], nullptr, 10);
    const uint64_t seed = strtoull(words[2], nullptr, 10);
    for (uint64_t world = 0; world * kLives < cuts; world++) {
        World one(seed * 1'000'003 + world);
        if (!one.run(kLives)) {
            fprintf(stderr, "seed %llu, world %llu: %s\n", static_cast<unsigned long long>(seed),
                    static_cast<unsigned long long>(world), one.broken());
            return 1;
        }
    }
    printf("%llu torn queues, every promise kept\n", static_cast<unsigned long long>(cuts));
    return 0;
}
