#include "json_writer.h"

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

}  // namespace footfall
