#include "settings/settings_check.h"

#include <string.h>

#include "sending/server_url.h"
#include "sending/signature.h"

namespace footfall {

namespace {

bool is_hex(const char* text, size_t digits) {
    for (size_t at = 0; at < digits; ++at) {
        const char c = text[at];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) {
            return false;
        }
    }
    return text[digits] == '\0';
}

// An id of the wire format: letters, digits, `_`, `.` and `-`, beginning with a letter or digit.
bool is_id(const char* text) {
    for (size_t at = 0; text[at] != '\0'; ++at) {
        const char c = text[at];
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!plain && (at == 0 || (c != '_' && c != '.' && c != '-'))) {
            return false;
        }
    }
    return text[0] != '\0';
}

// A signing key as `footfall counter add` prints it, with the padding that parse_key() does not require.
bool is_key(const char* text) {
    SigningKey key;
    return parse_key(text, key) && strlen(text + strlen("whsec_")) % 4 == 0;
}

class Checker {
   public:
    explicit Checker(SettingProblems& problems) : problems_(problems) {}

    void require(bool good, const char* name, const char* sentence) {
        if (!good && problems_.count < sizeof problems_.problems / sizeof problems_.problems[0]) {
            problems_.problems[problems_.count++] = {name, sentence};
        }
    }

   private:
    SettingProblems& problems_;
};

void check_server(const Settings& settings, bool has_ca, Checker& checker) {
    ServerUrl server;
    const bool good = parse_server_url(settings.url, server);
    checker.require(good, "url", "It must be http://HOST, http://HOST:PORT, https://HOST or https://HOST:PORT.");
    checker.require(settings.fingerprint[0] == '\0' || is_hex(settings.fingerprint, 40), "fingerprint",
                    "It must be the 40 hex digits of the certificate's SHA-1, without colons.");
    checker.require(!good || !server.secure || has_ca || settings.fingerprint[0] != '\0', "fingerprint",
                    "https needs the fingerprint of the server's certificate, or a CA (command ca).");
}

void check_wifi(const Settings& settings, Checker& checker) {
    const size_t password = strlen(settings.wifi_password);
    const size_t setup = strlen(settings.setup_password);
    checker.require(settings.ssid[0] != '\0', "ssid", "Required: the name of the WiFi network.");
    checker.require(password == 0 || password >= 8, "wifi_password", "WPA passwords have 8 to 63 characters.");
    checker.require(setup == 0 || setup >= 8, "setup_password", "WPA passwords have 8 to 63 characters.");
}

void check_beams(const Settings& settings, Checker& checker) {
    checker.require(settings.spacing_mm >= 40 && settings.spacing_mm <= 1000, "spacing_mm",
                    "The beams must be 40 to 1000 mm apart.");
    const char* outer = refused_pin(settings.outer_pin);
    const char* inner = refused_pin(settings.inner_pin);
    checker.require(outer == nullptr, "outer_pin", outer);
    checker.require(inner == nullptr, "inner_pin", inner);
    checker.require(settings.outer_pin != settings.inner_pin, "inner_pin", "Both beams cannot be on one pin.");
}

}  // namespace

SettingProblems check_settings(const Settings& settings, bool has_ca) {
    SettingProblems problems;
    Checker checker(problems);
    checker.require(is_id(settings.counter), "counter",
                    "Required: the id given to footfall counter add, of letters, digits, _ . and -.");
    checker.require(is_key(settings.key), "key", "Required: the key that footfall counter add printed, with whsec_.");
    check_server(settings, has_ca, checker);
    check_wifi(settings, checker);
    check_beams(settings, checker);
    return problems;
}

// Boot straps: Espressif, esptool documentation, "Boot Mode Selection" for the ESP8266. GPIO16 has no interrupt:
// ESP8266 Arduino core 3.1.2, reference, "Digital IO".
const char* refused_pin(int gpio) {
    switch (gpio) {
        case 0:
            return "GPIO0 (D3) must be high at power-up: a sensor that sees somebody would keep the board from starting.";
        case 1:
        case 3:
            return "GPIO1 and GPIO3 are the serial port.";
        case 2:
            return "GPIO2 (D4) must be high at power-up and carries the status LED.";
        case 6:
        case 7:
        case 8:
        case 9:
        case 10:
        case 11:
            return "GPIO6 to GPIO11 belong to the flash memory.";
        case 15:
            return "GPIO15 (D8) must be low at power-up: a sensor that idles high would keep the board from starting.";
        case 16:
            return "GPIO16 (D0) has no interrupt: the counter would miss edges.";
        case 4:
        case 5:
        case 12:
        case 13:
        case 14:
            return nullptr;
        default:
            return "The ESP8266 has no such pin.";
    }
}

}  // namespace footfall
