#include "sending/batch_json.h"

#include <string.h>

namespace footfall {

static constexpr char kHex[] = "0123456789abcdef";

void JsonWriter::put(char c) {
    if (size_ + 1 < capacity_) {
        into_[size_++] = c;
    } else {
        overflowed_ = true;
    }
}

void JsonWriter::raw(const char* text) {
    while (*text) {
        put(*text++);
    }
}

void JsonWriter::number(int64_t value) {
    char digits[20];
    unsigned count = 0;
    uint64_t left = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
    do {
        digits[count++] = static_cast<char>('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0) {
        put('-');
    }
    while (count > 0) {
        put(digits[--count]);
    }
}

void JsonWriter::quoted(const char* text) {
    put('"');
    for (; *text; text++) {
        const unsigned char c = static_cast<unsigned char>(*text);
        if (c == '"' || c == '\\') {
            put('\\');
            put(*text);
        } else if (c < 0x20) {
            raw("\\u00");
            put(kHex[c >> 4]);
            put(kHex[c & 15]);
        } else {
            put(*text);
        }
    }
    put('"');
}

void JsonWriter::hex(const uint8_t* bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        put(kHex[bytes[i] >> 4]);
        put(kHex[bytes[i] & 15]);
    }
}

bool JsonWriter::finish() {
    if (capacity_ == 0) {
        return false;
    }
    into_[size_] = 0;
    return !overflowed_;
}

static void put_member(JsonWriter& json, const char* name, int64_t value, bool& is_first) {
    json.raw(is_first ? "\"" : ",\"");
    json.raw(name);
    json.raw("\":");
    json.number(value);
    is_first = false;
}

static void put_status(JsonWriter& json, const Status& status) {
    bool is_first = true;
    json.raw(",\"status\":{");
    if (status.firmware != nullptr) {
        json.raw("\"firmware\":");
        json.quoted(status.firmware);
        is_first = false;
    }
    if (status.rssi_dbm != 0) {
        put_member(json, "rssi_dbm", status.rssi_dbm, is_first);
    }
    const struct {
        const char* name;
        int64_t value;
    } members[] = {
        {"uptime_s", status.uptime_s},
        {"heap_bytes", status.heap_bytes},
        {"queued", status.queued},
        {"dropped", status.dropped},
        {"aborted", status.aborted},
        {"outer_blocked_s", status.outer_blocked_s},
        {"inner_blocked_s", status.inner_blocked_s},
    };
    for (const auto& member : members) {
        if (member.value >= 0) {
            put_member(json, member.name, member.value, is_first);
        }
    }
    json.raw("}}");
}

static void put_start(JsonWriter& json, const char* counter, const Stream& stream, int64_t from, int64_t to) {
    json.raw("{\"counter\":");
    json.quoted(counter);
    json.raw(",\"stream\":\"");
    json.hex(stream.bytes, kStreamBytes);
    json.raw("\",\"from\":");
    json.number(from);
    json.raw(",\"to\":");
    json.number(to);
    json.raw(",\"crossings\":[");
}

size_t encode_batch(const char* counter, const OutgoingBatch& batch, const Status& status, char* into,
                    size_t capacity) {
    JsonWriter json(into, capacity);
    put_start(json, counter, batch.stream, batch.from_utc_ms, batch.to_utc_ms);
    for (uint32_t i = 0; i < batch.count; i++) {
        const SentCrossing& crossing = batch.crossings[i];
        json.raw(i == 0 ? "[" : ",[");
        json.number(crossing.seq);
        json.raw(",");
        if (batch.dated) {
            json.number(crossing.utc_ms);
        } else {
            json.raw("null");
        }
        json.raw(crossing.direction > 0 ? ",1]" : ",-1]");
    }
    json.raw("]");
    put_status(json, status);
    return json.finish() ? json.size() : 0;
}

size_t encode_probe(const char* counter, const Stream& stream, const Status& status, char* into, size_t capacity) {
    JsonWriter json(into, capacity);
    put_start(json, counter, stream, 0, 0);
    json.raw("]");
    put_status(json, status);
    return json.finish() ? json.size() : 0;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Returns the offset after *name*; *size* or more if it is missing.
static size_t find_behind(const char* body, size_t size, const char* name) {
    const size_t length = strlen(name);
    size_t at = 0;
    while (at + length <= size && memcmp(body + at, name, length) != 0) {
        at++;
    }
    return at + length;
}

bool parse_error(const char* body, size_t size, bool& judges_batch) {
    const size_t at = find_behind(body, size, "\"error\"");
    if (at >= size || find_behind(body + at, size - at, "\"code\"") >= size - at) {
        return false;
    }
    judges_batch = find_behind(body + at, size - at, "\"bad_request\"") >= size - at;
    return true;
}

bool parse_receipt(const char* body, size_t size, uint32_t& through) {
    size_t at = find_behind(body, size, "\"through\"");
    while (at < size && is_space(body[at])) {
        at++;
    }
    if (at >= size || body[at++] != ':') {
        return false;
    }
    while (at < size && is_space(body[at])) {
        at++;
    }
    const bool is_negative = at < size && body[at] == '-';
    at += is_negative ? 1 : 0;
    uint64_t value = 0;
    size_t digits = 0;
    for (; at < size && body[at] >= '0' && body[at] <= '9'; at++, digits++) {
        value = value > UINT32_MAX ? value : value * 10 + static_cast<uint64_t>(body[at] - '0');
    }
    // A fraction, an exponent, or a number cut off by the end of the body is not the number that was sent.
    if (digits == 0 || at >= size || body[at] == '.' || body[at] == 'e' || body[at] == 'E') {
        return false;
    }
    through = is_negative ? 0 : value > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(value);
    return true;
}

}  // namespace footfall
