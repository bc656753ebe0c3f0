#include "posix_file_device.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static constexpr int kPowerFailed = 137;  // a shell's exit status for kill -9

FileDevice::~FileDevice() {
    if (file_ >= 0) {
        close(file_);
    }
}

bool FileDevice::open(const char* path) {
    file_ = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file_ < 0 || flock(file_, LOCK_EX | LOCK_NB) != 0) {
        return false;
    }
    struct stat found;
    if (fstat(file_, &found) != 0) {
        return false;
    }
    for (uint32_t sector = 0; found.st_size == 0 && sector < sectors_; sector++) {
        if (!erase(sector)) {
            return false;
        }
    }
    return true;
}

bool FileDevice::read(uint32_t sector, uint32_t offset, void* into, uint32_t size) {
    if (sector >= sectors_ || offset > kSectorBytes || size > kSectorBytes - offset) {
        return false;
    }
    const uint64_t at = static_cast<uint64_t>(sector) * kSectorBytes + offset;
    const ssize_t got = pread(file_, into, size, static_cast<off_t>(at));
    if (got < 0) {
        return false;
    }
    memset(static_cast<uint8_t*>(into) + got, 0, size - static_cast<size_t>(got));
    return true;
}

bool FileDevice::program(uint32_t sector, uint32_t offset, const void* from, uint32_t size) {
    const uint64_t at = static_cast<uint64_t>(sector) * kSectorBytes + offset;
    return sector < sectors_ && offset <= kSectorBytes && size <= kSectorBytes - offset &&
           write(at, static_cast<const uint8_t*>(from), size);
}

bool FileDevice::erase(uint32_t sector) {
    uint8_t blank[kSectorBytes];
    memset(blank, 0xff, sizeof blank);
    return sector < sectors_ && write(static_cast<uint64_t>(sector) * kSectorBytes, blank, sizeof blank);
}

bool FileDevice::write(uint64_t at, const uint8_t* from, uint32_t size) {
    const bool dies = left_ >= 0 && left_ < size;
    uint32_t left = dies ? static_cast<uint32_t>(left_) : size;
    left_ -= left_ >= 0 ? left : 0;
    while (left > 0) {
        const ssize_t done = pwrite(file_, from, left, static_cast<off_t>(at));
        if (done < 0) {
            return false;
        }
        at += static_cast<uint64_t>(done);
        from += done;
        left -= static_cast<uint32_t>(done);
    }
    if (dies) {
        const uint8_t torn = *from & 0x5a;
        (void)!pwrite(file_, &torn, 1, static_cast<off_t>(at));
        _exit(kPowerFailed);
    }
    return true;
}

bool FileDevice::sync() { return fdatasync(file_) == 0; }
