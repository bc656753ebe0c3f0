// The queue, its device, the clock, the sender and the encoders for ctypes.
#include <string.h>

#include "queue/crossing_queue.h"
#include "sending/batch_json.h"
#include "sending/sender.h"
#include "time/clock.h"

#include "memory_device.h"
#include "posix_hmac.h"
#include "seeded_random.h"

using namespace footfall;

namespace {

struct Shim {
    Shim(uint32_t sector_bytes, uint32_t sectors, uint64_t seed)
        : device(sector_bytes, sectors, 0xff), random(seed), queue(new Queue(device, random)) {}
    ~Shim() {
        delete sender;
        delete queue;
    }

    MemoryDevice device;
    SeededRandom random;
    Queue* queue;
    Clock clock;
    SigningKey key = {};
    char name[80] = {};
    Sender* sender = nullptr;
    OutgoingBatch batch = {};
    Request request = {};
    char body[kBodyBytes];
};

}  // namespace

extern "C" {

Shim* queue_new(uint32_t sector_bytes, uint32_t sectors, uint64_t seed) {
    return new Shim(sector_bytes, sectors, seed);
}
void queue_free(Shim* shim) { delete shim; }

// The power returns: RAM is empty, flash is unchanged. Create a new sender afterwards.
int queue_boot(Shim* shim, int64_t since_ms) {
    delete shim->sender;
    delete shim->queue;
    shim->sender = nullptr;
    shim->device.fail_after(-1);
    shim->clock = Clock();
    shim->queue = new Queue(shim->device, shim->random);
    return static_cast<int>(shim->queue->open(since_ms));
}
// The power will fail after *cost* bytes; call it before queue_open() for a cut during recovery.
void queue_fail_after(Shim* shim, int64_t cost) { shim->device.fail_after(cost); }
int queue_open(Shim* shim, int64_t since_ms) {
    delete shim->queue;
    shim->queue = new Queue(shim->device, shim->random);
    return static_cast<int>(shim->queue->open(since_ms));
}
bool queue_has_power(const Shim* shim) { return shim->device.has_power; }
bool queue_misused(const Shim* shim) { return shim->device.misused; }
uint64_t queue_programmed(const Shim* shim) { return shim->device.programmed; }
uint64_t queue_erased(const Shim* shim) { return shim->device.erased; }
uint8_t* queue_flash(Shim* shim) { return shim->device.bytes.data(); }
size_t queue_flash_size(const Shim* shim) { return shim->device.bytes.size(); }

bool queue_append(Shim* shim, int direction, int64_t time_ms) {
    return shim->queue->append(static_cast<int8_t>(direction), time_ms);
}
void queue_alive(Shim* shim, int64_t settled_ms) { shim->queue->note_alive(settled_ms); }
void queue_offset(Shim* shim, int64_t offset_ms, bool step) { shim->queue->note_offset(offset_ms, step); }
void queue_pause(Shim* shim, int64_t at_ms) { shim->queue->pause(at_ms); }
void queue_resume(Shim* shim, int64_t since_ms) { shim->queue->resume(since_ms); }
bool queue_format(Shim* shim, int64_t since_ms) { return shim->queue->format(since_ms); }
uint32_t queue_waiting(const Shim* shim) { return shim->queue->waiting(); }
uint32_t queue_dropped(const Shim* shim) { return shim->queue->dropped(); }
uint32_t queue_next_seq(const Shim* shim) { return shim->queue->next_seq(); }

// Returns the body of the next batch; null if there is none.
const char* queue_next_batch(Shim* shim, int64_t settled_ms, uint32_t limit) {
    if (!shim->queue->next_batch(settled_ms, limit, shim->batch)) {
        return nullptr;
    }
    return encode_batch("DOOR1", shim->batch, Status(), shim->body, sizeof shim->body) ? shim->body : nullptr;
}
bool queue_is_live(const Shim* shim) { return shim->batch.live; }
void queue_freeze(Shim* shim) { shim->queue->freeze(shim->batch); }
bool queue_acknowledge(Shim* shim, uint32_t through) { return shim->queue->acknowledge(shim->batch, through); }
void queue_drop(Shim* shim) { shim->queue->drop(shim->batch); }

bool sender_new(Shim* shim, const char* counter, const char* key, int64_t heartbeat_ms, int64_t linger_ms,
                uint32_t limit) {
    strncpy(shim->name, counter, sizeof shim->name - 1);
    delete shim->sender;
    shim->sender = new Sender(*shim->queue, shim->clock, shim->random, posix_hmac, shim->name, shim->key,
                              {heartbeat_ms, linger_ms, limit});
    return parse_key(key, shim->key);
}
int64_t sender_due_ms(const Shim* shim) { return shim->sender->due_ms(); }
void sender_notice(Shim* shim, int64_t now_ms) { shim->sender->notice_crossing(now_ms); }
bool sender_prepare(Shim* shim, int64_t now_ms, int64_t settled_ms) {
    Status status;
    status.firmware = "test \"1\"";
    const Request* request = shim->sender->prepare(now_ms, settled_ms, status);
    shim->request = request == nullptr ? Request{} : *request;
    return request != nullptr;
}
const char* sender_body(const Shim* shim) { return shim->request.body; }
const char* sender_id(const Shim* shim) { return shim->request.id; }
const char* sender_timestamp(const Shim* shim) { return shim->request.timestamp; }
const char* sender_signature(const Shim* shim) { return shim->request.signature; }
int sender_take(Shim* shim, int status, const char* body, const char* date, const char* retry_after, int64_t now_ms) {
    return static_cast<int>(shim->sender->take({status, body, body ? strlen(body) : 0, date, retry_after}, now_ms));
}
bool sender_is_finished(const Shim* shim, int64_t settled_ms) { return shim->sender->is_finished(settled_ms); }
int clock_set_from_network(Shim* shim, int64_t utc_ms, int64_t now_ms) {
    const ClockChange change = shim->clock.set_from_network(utc_ms, now_ms);
    if (change != ClockChange::kNone) {
        shim->queue->note_offset(shim->clock.offset_ms(), change == ClockChange::kStep);
    }
    return static_cast<int>(change);
}
int clock_set_from_server(Shim* shim, int64_t utc_s, int64_t now_ms) {
    return static_cast<int>(shim->clock.set_from_server(utc_s, now_ms));
}
int64_t clock_utc_ms(const Shim* shim, int64_t now_ms) { return shim->clock.utc_ms(now_ms); }

size_t batch_longest(char* into, size_t capacity) {
    OutgoingBatch batch = {};
    memset(batch.stream.bytes, 0xff, kStreamBytes);
    batch.dated = true;
    batch.from_utc_ms = batch.to_utc_ms = (int64_t{1} << 53) - 1;
    batch.count = kBatchLimit;
    for (SentCrossing& crossing : batch.crossings) {
        crossing = {UINT32_MAX, -1, (int64_t{1} << 53) - 1};
    }
    char name[kLongestName + 1] = {};
    memset(name, 'x', kLongestName);
    Status status;
    status.firmware = name;
    status.rssi_dbm = -200;
    status.uptime_s = status.heap_bytes = status.queued = status.dropped = status.aborted = UINT32_MAX;
    status.outer_blocked_s = status.inner_blocked_s = UINT32_MAX;
    return encode_batch(name, batch, status, into, capacity);
}
size_t batch_buffer() { return kBodyBytes; }
int64_t receipt_through(const char* body, size_t size) {
    uint32_t through = 0;
    return parse_receipt(body, size, through) ? static_cast<int64_t>(through) : -1;
}
void hmac_sha256(const uint8_t* key, size_t key_size, const uint8_t* bytes, size_t size, uint8_t mac[kMacBytes]) {
    const size_t half = size / 2;
    const Piece pieces[] = {{bytes, half}, {bytes + half, size - half}};
    posix_hmac(key, key_size, pieces, 2, mac);
}
bool signature_of(const char* key, const char* id, const char* timestamp, const char* body,
                  char into[kSignatureBytes]) {
    SigningKey parsed;
    const bool is_key = parse_key(key, parsed);
    if (is_key) {
        sign(posix_hmac, parsed, id, timestamp, body, strlen(body), into);
    }
    return is_key;
}
bool http_date(const char* text, int64_t* utc_s) { return parse_http_date(text, *utc_s); }
bool retry_after(const char* text, int64_t now_utc_s, int64_t* wait_s) {
    return parse_retry_after(text, now_utc_s, *wait_s);
}
}
