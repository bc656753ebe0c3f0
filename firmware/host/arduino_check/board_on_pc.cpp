// Implements the declarations on a PC, so that the application runs as a process. net_on_pc.cpp has the network.
//
//     standard input   pin N LEVEL | wifi up | wifi down | ntp | guest own | guest other | serial TEXT
//     standard output  the board's serial output
//     BOARD_FOLDER     folder of flash.bin (raw flash, NOR rules) and files/ (LittleFS)
//     BOARD_MICROS     first value of micros(), to reach its wrap soon
//     exit status      42: ESP.restart(), 43: ESP.reset()
//
// A pin change runs the interrupt at once, in a separate thread, whatever the loop does.

#include "board_on_pc.h"

#include <DNSServer.h>
#include <LittleFS.h>
#include <Schedule.h>
#include <Ticker.h>
#include <coredecls.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <mutex>
#include <thread>
#include <vector>

void setup();
void loop();

namespace {

constexpr size_t kFlashBytes = 4 * 1024 * 1024;
constexpr int kPins = 17;

std::recursive_mutex interrupt_lock;  // held: interrupts are off
std::atomic<int> levels[kPins];
void (*handlers[kPins])() = {};
std::mutex serial_lock;
std::string serial_input;
std::atomic<bool> ntp_came{false};
std::function<void(bool)> time_callback;
std::vector<std::function<bool()>> recurrent;
bool in_recurrent = false;

std::string folder() { return getenv("BOARD_FOLDER"); }

uint64_t monotonic_us() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

const uint64_t started_us = monotonic_us();

uint64_t first_us() {
    static const uint64_t first = getenv("BOARD_MICROS") != nullptr ? strtoull(getenv("BOARD_MICROS"), nullptr, 10) : 0;
    return first;
}

void set_pin(int pin, int level) {
    const std::lock_guard<std::recursive_mutex> off(interrupt_lock);
    if (levels[pin].exchange(level) != level && handlers[pin] != nullptr) {
        handlers[pin]();
    }
}

void obey(const std::string& line) {
    int pin = 0;
    int level = 0;
    if (sscanf(line.c_str(), "pin %d %d", &pin, &level) == 2) {
        set_pin(pin, level);
    } else if (line.rfind("serial ", 0) == 0) {
        const std::lock_guard<std::mutex> mine(serial_lock);
        serial_input += line.substr(7) + "\n";
    } else if (line == "ntp") {
        ntp_came = true;
    } else {
        obey_network(line);
    }
}

void read_orders() {
    char* line = nullptr;
    size_t capacity = 0;
    ssize_t length = 0;
    while ((length = getline(&line, &capacity, stdin)) > 0) {
        obey(std::string(line, static_cast<size_t>(length) - 1));
    }
    _exit(0);  // the other end of standard input is closed
}

FILE* flash_file() {
    static FILE* const file = [] {
        const std::string path = folder() + "/flash.bin";
        FILE* opened = fopen(path.c_str(), "r+b");
        if (opened == nullptr) {
            opened = fopen(path.c_str(), "w+b");
            const std::vector<unsigned char> blank(kFlashBytes, 0xFF);
            fwrite(blank.data(), 1, blank.size(), opened);
        }
        return opened;
    }();
    return file;
}

bool write_flash(uint32_t address, const void* bytes, size_t size) {
    fseek(flash_file(), static_cast<long>(address), SEEK_SET);
    return fwrite(bytes, 1, size, flash_file()) == size && fflush(flash_file()) == 0;
}

}  // namespace

extern "C" {
void pinMode(uint8_t, uint8_t) {}
void digitalWrite(uint8_t pin, uint8_t value) { levels[pin] = value; }
int digitalRead(uint8_t pin) { return levels[pin]; }
unsigned long micros() { return static_cast<uint32_t>(first_us() + monotonic_us() - started_us); }
unsigned long millis() { return static_cast<uint32_t>((monotonic_us() - started_us) / 1000); }
void attachInterrupt(uint8_t pin, void (*handler)(void), int) { handlers[pin] = handler; }

void yield() {
    if (in_recurrent) {
        return;
    }
    in_recurrent = true;
    for (const auto& function : recurrent) {
        function();
    }
    in_recurrent = false;
}

void delay(unsigned long ms) {
    const uint64_t end_us = monotonic_us() + ms * 1000;
    do {
        usleep(1000);
        yield();
    } while (monotonic_us() < end_us);
}
}

uint32_t noInterrupts() {
    interrupt_lock.lock();
    return 0;
}

uint32_t interrupts() {
    interrupt_lock.unlock();
    return 0;
}

bool schedule_recurrent_function_us(const std::function<bool(void)>& fn, uint32_t, const std::function<bool(void)>&) {
    recurrent.push_back(fn);
    return true;
}

void configTime(const char*, const char*, const char*, const char*) {}

void settimeofday_cb(BoolCB&& cb) { time_callback = cb; }

void Ticker::attach_ms(uint32_t, callback_function_t) {}  // no watchdog on a PC

// ---- text and the serial line

String::String(const char* text) : text_(text != nullptr ? text : "") {}
String::String(const String& other) : text_(other.text_) {}
String& String::operator=(const String& other) = default;
const char* String::c_str() const { return text_.c_str(); }
unsigned int String::length() const { return static_cast<unsigned int>(text_.size()); }
String operator+(const String& left, const String& right) {
    return String((std::string(left.c_str()) + right.c_str()).c_str());
}
String operator+(const String& left, const char* right) { return left + String(right); }

size_t Print::write(const uint8_t* buffer, size_t size) {
    size_t written = 0;
    while (written < size && write(buffer[written]) == 1) {
        ++written;
    }
    return written;
}
size_t Print::print(const char* text) { return write(reinterpret_cast<const uint8_t*>(text), strlen(text)); }
size_t Print::println() { return print("\n"); }
size_t Print::println(const char* text) { return print(text) + println(); }
size_t Print::printf(const char* format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return print(text);
}

size_t Stream::readBytes(char*, size_t) { return 0; }
size_t Stream::readBytes(uint8_t*, size_t) { return 0; }
String Stream::readString() { return String(); }
void Stream::setTimeout(unsigned long timeout) { timeout_ms_ = timeout; }

void HardwareSerial::begin(unsigned long) { setvbuf(stdout, nullptr, _IOLBF, BUFSIZ); }
size_t HardwareSerial::write(uint8_t letter) { return fputc(letter, stdout) == EOF ? 0 : 1; }
int HardwareSerial::available() {
    const std::lock_guard<std::mutex> mine(serial_lock);
    return static_cast<int>(serial_input.size());
}
int HardwareSerial::read() {
    const std::lock_guard<std::mutex> mine(serial_lock);
    if (serial_input.empty()) {
        return -1;
    }
    const int letter = static_cast<unsigned char>(serial_input.front());
    serial_input.erase(0, 1);
    return letter;
}
int HardwareSerial::peek() { return -1; }
HardwareSerial Serial;

// ---- the chip and its flash

void EspClass::wdtFeed() {}
void EspClass::restart() {
    fflush(stdout);
    _exit(42);
}
void EspClass::reset() { _exit(43); }
uint32_t EspClass::getChipId() { return 0xC0FFEE; }
uint32_t EspClass::getFreeHeap() { return 31'000; }
uint32_t EspClass::getMaxFreeBlockSize() { return 30'000; }
uint32_t EspClass::getFreeContStack() { return 2'000; }
String EspClass::getResetReason() { return String("Power On"); }
uint32_t EspClass::random() {
    uint32_t number = 0;
    return getrandom(&number, sizeof number, 0) == sizeof number ? number : 4;
}
bool EspClass::flashEraseSector(uint32_t sector) {
    const std::vector<unsigned char> blank(4096, 0xFF);
    return write_flash(sector * 4096, blank.data(), blank.size());
}
bool EspClass::flashRead(uint32_t address, uint8_t* data, size_t size) {
    fseek(flash_file(), static_cast<long>(address), SEEK_SET);
    return fread(data, 1, size, flash_file()) == size;
}
bool EspClass::flashWrite(uint32_t address, const uint8_t* data, size_t size) {
    std::vector<uint8_t> bytes(size);
    if (!flashRead(address, bytes.data(), size)) {
        return false;
    }
    for (size_t at = 0; at < size; ++at) {
        bytes[at] = static_cast<uint8_t>(bytes[at] & data[at]);  // writing flash clears bits; only erasing sets them
    }
    return write_flash(address, bytes.data(), size);
}
EspClass ESP;

// ---- the file system

namespace {
std::string path_of(const char* path) { return folder() + "/files" + path; }
}  // namespace

namespace fs {
size_t File::write(uint8_t byte) { return write(&byte, 1); }
size_t File::write(const uint8_t* bytes, size_t size) { return fwrite(bytes, 1, size, file_.get()); }
int File::available() { return 0; }
int File::read() { return fgetc(file_.get()); }
int File::peek() { return -1; }
int File::read(uint8_t* bytes, size_t size) { return static_cast<int>(fread(bytes, 1, size, file_.get())); }
void File::close() { file_.reset(); }
File::operator bool() const { return file_ != nullptr; }
String File::readString() {
    std::string text;
    for (int letter = read(); letter != EOF; letter = read()) {
        text += static_cast<char>(letter);
    }
    return String(text.c_str());
}

bool FS::begin() { return mkdir(path_of("").c_str(), 0700) == 0 || errno == EEXIST; }
bool FS::format() { return true; }
File FS::open(const char* path, const char* mode) {
    File file;
    FILE* opened = fopen(path_of(path).c_str(), mode);
    if (opened != nullptr) {
        file.file_ = std::shared_ptr<FILE>(opened, fclose);
    }
    return file;
}
bool FS::exists(const char* path) { return access(path_of(path).c_str(), F_OK) == 0; }
bool FS::remove(const char* path) { return ::remove(path_of(path).c_str()) == 0; }
bool FS::rename(const char* from, const char* to) {
    return ::rename(path_of(from).c_str(), path_of(to).c_str()) == 0;
}
}  // namespace fs
fs::FS LittleFS;

DNSServer::DNSServer() = default;
bool DNSServer::start(const uint16_t&, const String&, const IPAddress&) { return true; }
void DNSServer::processNextRequest() {}
void DNSServer::stop() {}

int main() {
    for (auto& level : levels) {
        level = HIGH;
    }
    std::thread(read_orders).detach();
    setup();
    for (;;) {
        if (ntp_came.exchange(false) && time_callback) {
            time_callback(true);
        }
        loop();
        yield();
    }
}
