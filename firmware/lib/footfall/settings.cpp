#include "settings.h"

#include <string.h>

#include "pins.h"
#include "server_url.h"

namespace footfall {

namespace {

enum class Kind : uint8_t { kText, kSecret, kNumber16, kNumber8, kSwitch };

struct Field {
    const char* name;
    Kind kind;
    uint16_t offset;
    uint16_t size;      // of a text, with its final zero
    const char* off;    // the two words of a switch
    const char* on;
};

#define TEXT(name, kind) {#name, kind, offsetof(Settings, name), sizeof(Settings::name), nullptr, nullptr}

constexpr Field kFields[kSettingCount] = {
    TEXT(counter, Kind::kText),
    TEXT(key, Kind::kSecret),
    TEXT(url, Kind::kText),
    TEXT(ssid, Kind::kText),
    TEXT(wifi_password, Kind::kSecret),
    TEXT(fingerprint, Kind::kText),
    TEXT(ntp, Kind::kText),
    {"spacing_mm", Kind::kNumber16, offsetof(Settings, spacing_mm), 2, nullptr, nullptr},
    {"outer_pin", Kind::kNumber8, offsetof(Settings, outer_pin), 1, nullptr, nullptr},
    {"inner_pin", Kind::kNumber8, offsetof(Settings, inner_pin), 1, nullptr, nullptr},
    {"blocked_level", Kind::kSwitch, offsetof(Settings, blocked_high), 1, "low", "high"},
    {"swap", Kind::kSwitch, offsetof(Settings, swap), 1, "no", "yes"},
    TEXT(setup_password, Kind::kSecret),
};

#undef TEXT

const Field* find_field(const char* name) {
    for (const Field& field : kFields) {
        if (strcmp(field.name, name) == 0) {
            return &field;
        }
    }
    return nullptr;
}

char* bytes_of(Settings& settings, const Field& field) {
    return reinterpret_cast<char*>(&settings) + field.offset;
}

const char* bytes_of(const Settings& settings, const Field& field) {
    return reinterpret_cast<const char*>(&settings) + field.offset;
}

bool parse_number(const char* text, uint32_t most, uint32_t& number) {
    number = 0;
    size_t digits = 0;
    for (; text[digits] != '\0'; ++digits) {
        if (text[digits] < '0' || text[digits] > '9' || digits == 5) {
            return false;
        }
        number = number * 10 + static_cast<uint32_t>(text[digits] - '0');
    }
    return digits > 0 && number <= most;
}

size_t render_number(uint32_t number, char* text) {
    char reversed[10];
    size_t digits = 0;
    do {
        reversed[digits++] = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number > 0);
    for (size_t at = 0; at < digits; ++at) {
        text[at] = reversed[digits - 1 - at];
    }
    return digits;
}

// CRC-32 as in IEEE 802.3 and zlib; a table would cost more flash than the microseconds are worth here.
uint32_t crc32_of(const char* bytes, size_t length) {
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t at = 0; at < length; ++at) {
        crc ^= static_cast<uint8_t>(bytes[at]);
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xEDB88320u : 0u);
        }
    }
    return ~crc;
}

const char* set_text(char* target, size_t size, const char* value) {
    const size_t length = strlen(value);
    if (length >= size) {
        return "It is too long.";
    }
    for (size_t at = 0; at < length; ++at) {
        const uint8_t byte = static_cast<uint8_t>(value[at]);
        if (byte < 0x20 || byte == 0x7F) {
            return "It has a control character in it.";
        }
    }
    memset(target, 0, size);  // the same settings are always the same bytes
    memcpy(target, value, length);
    return nullptr;
}

const char* set_default(Settings& settings, const Field& field) {
    const Settings defaults;
    const size_t size = field.size;
    memcpy(bytes_of(settings, field), bytes_of(defaults, field), size);
    return nullptr;
}

const char* set_number(Settings& settings, const Field& field, const char* value) {
    uint32_t number = 0;
    const bool wide = field.kind == Kind::kNumber16;
    if (!parse_number(value, wide ? 0xFFFFu : 0xFFu, number)) {
        return "It is not a number that fits.";
    }
    if (wide) {
        const uint16_t narrow = static_cast<uint16_t>(number);
        memcpy(bytes_of(settings, field), &narrow, sizeof narrow);
    } else {
        *reinterpret_cast<uint8_t*>(bytes_of(settings, field)) = static_cast<uint8_t>(number);
    }
    return nullptr;
}

const char* set_field(Settings& settings, const Field& field, const char* value) {
    switch (field.kind) {
        case Kind::kText:
        case Kind::kSecret:
            return set_text(bytes_of(settings, field), field.size, value);
        case Kind::kNumber16:
        case Kind::kNumber8:
            return set_number(settings, field, value);
        case Kind::kSwitch:
            break;
    }
    if (strcmp(value, field.on) != 0 && strcmp(value, field.off) != 0) {
        return strcmp(field.on, "yes") == 0 ? "It must be yes or no." : "It must be low or high.";
    }
    *reinterpret_cast<bool*>(bytes_of(settings, field)) = strcmp(value, field.on) == 0;
    return nullptr;
}

bool is_hex(const char* text, size_t digits) {
    for (size_t at = 0; at < digits; ++at) {
        const char c = text[at];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) {
            return false;
        }
    }
    return text[digits] == '\0';
}

// An id as the wire format has it: 1 to 64 letters, digits, `_`, `.` and `-`, the first a letter or digit.
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

// `whsec_` and the base64 of 24 to 64 bytes (docs/wire-format.md, "Signatures").
bool is_key(const char* text) {
    if (strncmp(text, "whsec_", 6) != 0) {
        return false;
    }
    const char* base64 = text + 6;
    size_t letters = 0;
    for (; base64[letters] != '\0' && base64[letters] != '='; ++letters) {
        const char c = base64[letters];
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!plain && c != '+' && c != '/') {
            return false;
        }
    }
    const char* padding = base64 + letters;
    const size_t padded = strlen(padding);
    if ((letters + padded) % 4 != 0 || padded > 2 || strspn(padding, "=") != padded) {
        return false;
    }
    const size_t bytes = letters * 3 / 4;
    return bytes >= 24 && bytes <= 64;
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
    checker.require(settings.ssid[0] != '\0', "ssid", "It is required: the name of the WiFi network.");
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

const char* setting_name(size_t index) { return kFields[index].name; }

bool setting_is_secret(size_t index) { return kFields[index].kind == Kind::kSecret; }

const char* set_setting(Settings& settings, const char* name, const char* value) {
    const Field* field = find_field(name);
    if (field == nullptr) {
        return "There is no such setting.";
    }
    // An empty time server is a choice (only the Date header is used); every other empty value means the default.
    if (value[0] == '\0' && strcmp(name, "ntp") != 0) {
        return set_default(settings, *field);
    }
    return set_field(settings, *field, value);
}

size_t render_setting(const Settings& settings, size_t index, char* text, size_t capacity) {
    const Field& field = kFields[index];
    const char* bytes = bytes_of(settings, field);
    char number[12];
    size_t length = 0;
    switch (field.kind) {
        case Kind::kText:
        case Kind::kSecret:
            length = strlen(bytes);
            break;
        case Kind::kNumber16: {
            uint16_t wide = 0;
            memcpy(&wide, bytes, sizeof wide);
            length = render_number(wide, number);
            bytes = number;
            break;
        }
        case Kind::kNumber8:
            length = render_number(*reinterpret_cast<const uint8_t*>(bytes), number);
            bytes = number;
            break;
        case Kind::kSwitch:
            bytes = *reinterpret_cast<const bool*>(bytes) ? field.on : field.off;
            length = strlen(bytes);
            break;
    }
    if (length >= capacity) {
        return 0;
    }
    memcpy(text, bytes, length);
    text[length] = '\0';
    return length;
}

SettingProblems check_settings(const Settings& settings, bool has_ca) {
    SettingProblems problems;
    Checker checker(problems);
    checker.require(is_id(settings.counter), "counter",
                    "It is required: letters, digits, _ . and -, as in footfall counter add.");
    checker.require(is_key(settings.key), "key", "It is required: whsec_ and what footfall counter add printed.");
    check_server(settings, has_ca, checker);
    check_wifi(settings, checker);
    check_beams(settings, checker);
    return problems;
}

size_t render_settings(const Settings& settings, char* text, size_t capacity) {
    size_t at = 0;
    for (size_t index = 0; index < kSettingCount; ++index) {
        char value[160];
        const size_t length = render_setting(settings, index, value, sizeof value);
        const size_t name = strlen(kFields[index].name);
        if (at + name + length + 2 > capacity) {
            return 0;
        }
        memcpy(text + at, kFields[index].name, name);
        at += name;
        text[at++] = '=';
        memcpy(text + at, value, length);
        at += length;
        text[at++] = '\n';
    }
    constexpr size_t kCheckLine = 6 + 8 + 1;
    if (at + kCheckLine > capacity) {
        return 0;
    }
    const uint32_t crc = crc32_of(text, at);
    memcpy(text + at, "check=", 6);
    at += 6;
    for (int shift = 28; shift >= 0; shift -= 4) {
        text[at++] = "0123456789abcdef"[(crc >> shift) & 0xFu];
    }
    text[at++] = '\n';
    return at;
}

namespace {

// Read the value of the check line at the end; false where there is none, or it does not fit what stands before it.
bool is_whole(const char* text, size_t length, size_t& before_check) {
    constexpr size_t kCheckLine = 6 + 8 + 1;
    if (length < kCheckLine || text[length - 1] != '\n') {
        return false;
    }
    before_check = length - kCheckLine;
    const char* line = text + before_check;
    if (memcmp(line, "check=", 6) != 0) {
        return false;
    }
    const uint32_t crc = crc32_of(text, before_check);
    for (size_t digit = 0; digit < 8; ++digit) {
        if (line[6 + digit] != "0123456789abcdef"[(crc >> (28 - 4 * digit)) & 0xFu]) {
            return false;
        }
    }
    return true;
}

}  // namespace

bool parse_settings(const char* text, size_t length, Settings& settings) {
    size_t end = 0;
    if (!is_whole(text, length, end)) {
        return false;
    }
    Settings read;
    char line[200];
    for (size_t at = 0; at < end;) {
        const char* newline = static_cast<const char*>(memchr(text + at, '\n', end - at));
        const size_t size = newline == nullptr ? end - at : static_cast<size_t>(newline - (text + at));
        if (newline == nullptr || size >= sizeof line) {
            return false;
        }
        memcpy(line, text + at, size);
        line[size] = '\0';
        at += size + 1;
        char* equals = strchr(line, '=');
        if (equals == nullptr) {
            return false;
        }
        *equals = '\0';
        // A name this firmware does not know was written by a newer one: it is passed over, so that one can go back.
        if (find_field(line) != nullptr && set_setting(read, line, equals + 1) != nullptr) {
            return false;
        }
    }
    settings = read;
    return true;
}

}  // namespace footfall
