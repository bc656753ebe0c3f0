#include "settings_store.h"

#include <LittleFS.h>
#include <string.h>

#include <memory>

#include "log.h"

namespace {

constexpr char kSettingsPath[] = "/settings.txt";
constexpr char kCaPath[] = "/ca.pem";
constexpr char kNewPath[] = "/new";

// LittleFS keeps a file's old content until close(), and rename() is atomic (littlefs's design document).
bool write_whole(const char* path, const char* text, size_t length) {
    File file = LittleFS.open(kNewPath, "w");
    if (!file) {
        return false;
    }
    const bool written = file.write(reinterpret_cast<const uint8_t*>(text), length) == length;
    file.close();
    return written && LittleFS.rename(kNewPath, path);
}

void make_password(char* password, size_t length) {
    static constexpr char kLetters[] = "abcdefghjkmnpqrstuvwxyz23456789";  // without characters that look alike
    for (size_t at = 0; at < length; ++at) {
        password[at] = kLetters[ESP.random() % (sizeof kLetters - 1)];
    }
    password[length] = '\0';
}

}  // namespace

bool SettingsStore::begin() {
    if (LittleFS.begin()) {
        return true;
    }
    log_line("error: the file system cannot be mounted; formatting it");
    return LittleFS.format() && LittleFS.begin();
}

footfall::Settings SettingsStore::load() {
    footfall::Settings settings;
    File file = LittleFS.open(kSettingsPath, "r");
    if (file) {
        // On the heap, because the stack has only 4 KB. At set-up the heap is not fragmented yet.
        const std::unique_ptr<char[]> text(new char[footfall::kSettingsTextMax]);
        const int length = file.read(reinterpret_cast<uint8_t*>(text.get()), footfall::kSettingsTextMax);
        file.close();
        if (length <= 0 || !footfall::parse_settings(text.get(), static_cast<size_t>(length), settings)) {
            log_line("error: settings damaged: set the counter up again");
        }
    }
    if (settings.setup_password[0] == '\0') {
        make_password(settings.setup_password, 10);
        save(settings);
    }
    return settings;
}

bool SettingsStore::save(const footfall::Settings& settings) {
    const std::unique_ptr<char[]> text(new char[footfall::kSettingsTextMax]);
    const size_t length = footfall::render_settings(settings, text.get(), footfall::kSettingsTextMax);
    return length > 0 && write_whole(kSettingsPath, text.get(), length);
}

String SettingsStore::load_ca() {
    File file = LittleFS.open(kCaPath, "r");
    return file ? file.readString() : String();
}

bool SettingsStore::add_ca_line(const char* line, bool first, bool last) {
    File file = LittleFS.open(kNewPath, first ? "w" : "a");
    if (!file) {
        return false;
    }
    const size_t length = strlen(line);
    const bool written = file.write(reinterpret_cast<const uint8_t*>(line), length) == length && file.write('\n') == 1;
    file.close();
    return written && (!last || LittleFS.rename(kNewPath, kCaPath));
}

bool SettingsStore::remove_ca() { return !LittleFS.exists(kCaPath) || LittleFS.remove(kCaPath); }

void SettingsStore::forget() {
    LittleFS.remove(kSettingsPath);
    LittleFS.remove(kCaPath);
}
