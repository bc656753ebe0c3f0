// Declarations only; see README.md. From cores/esp8266/FS.h and libraries/LittleFS/src/LittleFS.h of core 3.1.2.
#pragma once

#include "Arduino.h"

namespace fs {

class File : public Stream {
   public:
    size_t write(uint8_t) override;
    size_t write(const uint8_t* buf, size_t size) override;
    int available() override;
    int read() override;
    int peek() override;
    int read(uint8_t* buf, size_t size);
    size_t size() const;
    void close();
    operator bool() const;
    String readString() override;

    std::shared_ptr<FILE> file_;  // not the core's
};

class FS {
   public:
    bool begin();
    bool format();
    File open(const char* path, const char* mode);
    bool exists(const char* path);
    bool remove(const char* path);
    bool rename(const char* path_from, const char* path_to);
};

}  // namespace fs

using fs::File;
using fs::FS;
extern FS LittleFS;
