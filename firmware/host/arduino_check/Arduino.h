// Declarations only; see README.md. From cores/esp8266: Arduino.h, WString.h, Print.h, Stream.h, HardwareSerial.h,
// Esp.h, Updater.h, IPAddress.h and sys/time.h of core 3.1.2.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <functional>
#include <memory>
#include <string>

#define ESP8266_CHECK_ONLY 1
#define IRAM_ATTR __attribute__((section(".iram.text")))
#define PROGMEM
typedef const char* PGM_P;

#define HIGH 0x1
#define LOW 0x0
#define INPUT 0x00
#define INPUT_PULLUP 0x02
#define OUTPUT 0x01
#define RISING 0x01
#define FALLING 0x02
#define CHANGE 0x03
#define digitalPinToInterrupt(p) (((p) < 16) ? (p) : -1)

extern "C" {
void pinMode(uint8_t pin, uint8_t mode);
void digitalWrite(uint8_t pin, uint8_t val);
int digitalRead(uint8_t pin);
unsigned long millis(void);
unsigned long micros(void);
uint64_t micros64(void);
void delay(unsigned long ms);
void yield(void);
void attachInterrupt(uint8_t pin, void (*handler)(void), int mode);
void detachInterrupt(uint8_t pin);
void configTime(long timezone, int daylight_offset_s, const char* server1, const char* server2 = nullptr,
                const char* server3 = nullptr);
}
void configTime(const char* tz, const char* server1, const char* server2 = nullptr, const char* server3 = nullptr);
uint32_t interrupts();    // macros in the core: xt_rsil(0), xt_rsil(15)
uint32_t noInterrupts();

class String {
   public:
    String(const char* cstr = nullptr);
    String(const String& str);
    explicit String(char c);
    explicit String(unsigned int value, unsigned char base = 10);
    String& operator=(const String& rhs);
    String& operator=(const char* cstr);
    const char* c_str() const;
    unsigned int length() const;

   private:
    std::string text_;  // not the core's; board_on_pc.cpp needs some
};
String operator+(const String& lhs, const String& rhs);
String operator+(const String& lhs, const char* rhs);

class Print {
   public:
    virtual ~Print() {}
    virtual size_t write(uint8_t) = 0;
    virtual size_t write(const uint8_t* buffer, size_t size);
    size_t print(const char text[]);
    size_t print(const String& text);
    size_t println(const char text[]);
    size_t println(const String& text);
    size_t println(void);
    size_t printf(const char* format, ...) __attribute__((format(printf, 2, 3)));
};

class Stream : public Print {
   public:
    virtual int available() = 0;
    virtual int read() = 0;
    virtual int peek() = 0;
    virtual size_t readBytes(char* buffer, size_t length);
    virtual size_t readBytes(uint8_t* buffer, size_t length);
    virtual String readString();
    void setTimeout(unsigned long timeout);

   protected:
    unsigned long timeout_ms_ = 1000;
};

class HardwareSerial : public Stream {
   public:
    void begin(unsigned long baud);
    size_t write(uint8_t c) override;
    using Print::write;
    int available() override;
    int read() override;
    int peek() override;
};
extern HardwareSerial Serial;

class IPAddress {
   public:
    IPAddress(uint32_t address = 0);
    String toString() const;
    bool operator==(const IPAddress& addr) const;

   private:
    uint32_t address_;
};

class EspClass {
   public:
    static void wdtFeed();
    static void reset();
    static void restart();
    static uint32_t getChipId();
    static uint32_t getFreeHeap();
    static uint32_t getMaxFreeBlockSize();
    static uint32_t getFreeContStack();
    static String getResetReason();
    static bool flashEraseSector(uint32_t sector);
    static bool flashWrite(uint32_t address, const uint32_t* data, size_t size);
    static bool flashWrite(uint32_t address, const uint8_t* data, size_t size);
    static bool flashRead(uint32_t address, uint32_t* data, size_t size);
    static bool flashRead(uint32_t address, uint8_t* data, size_t size);
    static uint32_t random();
};
extern EspClass ESP;

#define UPDATE_ERROR_SIGN (12)
#define U_FLASH 0
#define U_FS 100

class UpdaterHashClass {
   public:
    virtual void begin() = 0;
    virtual void add(const void* data, uint32_t len) = 0;
    virtual void end() = 0;
    virtual int len() = 0;
    virtual const void* hash() = 0;
    virtual const unsigned char* oid() = 0;
};

class UpdaterVerifyClass {
   public:
    virtual uint32_t length() = 0;
    virtual bool verify(UpdaterHashClass* hash, const void* signature, uint32_t signature_len) = 0;
};

class UpdaterClass {
   public:
    void installSignature(UpdaterHashClass* hash, UpdaterVerifyClass* verify);
    bool end(bool even_if_remaining = false);
    uint8_t getError();
    size_t size();
};
extern UpdaterClass Update;
