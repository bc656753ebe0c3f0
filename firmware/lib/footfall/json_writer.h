// Text and numbers into a fixed buffer. What does not fit is noticed, never cut silently.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace footfall {

class JsonWriter {
   public:
    JsonWriter(char* into, size_t capacity) : into_(into), capacity_(capacity) {}

    void raw(const char* text);
    void number(int64_t value);
    // Quotes *text*; what JSON must escape is escaped (RFC 8259, section 7).
    void quoted(const char* text);
    void hex(const uint8_t* bytes, size_t size);

    // Ends the text with a zero byte. False if anything did not fit.
    bool finish();
    size_t size() const { return size_; }

   private:
    void put(char c);

    char* into_;
    size_t capacity_;
    size_t size_ = 0;
    bool overflowed_ = false;
};

}  // namespace footfall
