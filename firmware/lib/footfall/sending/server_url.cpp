#include "sending/server_url.h"

#include <stddef.h>
#include <string.h>

namespace footfall {

namespace {

constexpr char kBatches[] = "/api/v1/crossings";

bool is_host_letter(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-';
}

bool parse_port(const char*& text, uint16_t& port) {
    uint32_t number = 0;
    size_t digits = 0;
    for (; *text >= '0' && *text <= '9' && digits < 6; ++text, ++digits) {
        number = number * 10 + static_cast<uint32_t>(*text - '0');
    }
    port = static_cast<uint16_t>(number);
    return digits > 0 && number > 0 && number <= 0xFFFFu;
}

}  // namespace

bool parse_server_url(const char* text, ServerUrl& url) {
    ServerUrl parsed;
    if (strncmp(text, "https://", 8) == 0) {
        parsed.secure = true;
        text += 8;
    } else if (strncmp(text, "http://", 7) == 0) {
        text += 7;
    } else {
        return false;
    }
    parsed.port = parsed.secure ? 443 : 80;
    size_t host = 0;
    while (is_host_letter(text[host])) {
        ++host;
    }
    if (host == 0 || host >= sizeof parsed.host || text[0] == '.' || text[0] == '-') {
        return false;
    }
    memcpy(parsed.host, text, host);
    text += host;
    if (*text == ':' && !parse_port(++text, parsed.port)) {
        return false;
    }
    size_t path = strlen(text);
    if (path > 0 && (*text != '/' || strpbrk(text, " ?#") != nullptr)) {
        return false;
    }
    while (path > 0 && text[path - 1] == '/') {
        --path;
    }
    if (path + sizeof kBatches > sizeof parsed.path) {
        return false;
    }
    memcpy(parsed.path, text, path);
    memcpy(parsed.path + path, kBatches, sizeof kBatches);
    url = parsed;
    return true;
}

}  // namespace footfall
