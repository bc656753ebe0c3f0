#include "settings/settings.h"

#include <string.h>

#include "queue/bytes.h"

namespace footfall {

namespace {

enum class Kind : uint8_t { kText, kSecret, kNumber16, kNumber8, kSwitch };

struct Field {
    const char* name;
    Kind kind;
    uint16_t offset;
    uint16_t size;      // of a text, its final zero included
    const char* off;    // the words of a switch
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

const char* set_text(char* target, size_t size, const char* value) {
    const size_t length = strlen(value);
    if (length >= size) {
        return "The value is too long.";
    }
    for (size_t at = 0; at < length; ++at) {
        const uint8_t byte = static_cast<uint8_t>(value[at]);
        if (byte < 0x20 || byte == 0x7F) {
            return "The value contains a control character.";
        }
    }
    memset(target, 0, size);  // equal settings have equal bytes
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
        return wide ? "It must be a whole number up to 65535." : "It must be a whole number up to 255.";
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

constexpr size_t kCheckLine = 6 + 8 + 1;  // "check=", 8 hex digits and the line end

void render_check_line(uint32_t crc, char line[kCheckLine]) {
    memcpy(line, "check=", 6);
    for (size_t digit = 0; digit < 8; ++digit) {
        line[6 + digit] = "0123456789abcdef"[(crc >> (28 - 4 * digit)) & 0xFu];
    }
    line[kCheckLine - 1] = '\n';
}

// Whether the text ends with the right check line.
bool is_whole(const char* text, size_t length) {
    if (length < kCheckLine) {
        return false;
    }
    char expected[kCheckLine];
    render_check_line(crc32(text, length - kCheckLine), expected);
    return memcmp(text + length - kCheckLine, expected, kCheckLine) == 0;
}

}  // namespace

const char* setting_name(size_t index) { return kFields[index].name; }

bool setting_is_secret(size_t index) { return kFields[index].kind == Kind::kSecret; }

const char* set_setting(Settings& settings, const char* name, const char* value) {
    const Field* field = find_field(name);
    if (field == nullptr) {
        return "There is no such setting.";
    }
    // An empty time server is a choice: the counter then uses only the server's Date. Other empty values mean the
    // default.
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
    if (at + kCheckLine > capacity) {
        return 0;
    }
    render_check_line(crc32(text, at), text + at);
    return at + kCheckLine;
}

bool parse_settings(const char* text, size_t length, Settings& settings) {
    if (!is_whole(text, length)) {
        return false;
    }
    const size_t end = length - kCheckLine;
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
        // A newer firmware may have written settings that this one does not know. Ignoring them allows a downgrade.
        if (find_field(line) != nullptr && set_setting(read, line, equals + 1) != nullptr) {
            return false;
        }
    }
    settings = read;
    return true;
}

}  // namespace footfall
