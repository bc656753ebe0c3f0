// Parses the address of the server.
#pragma once

#include <stdint.h>

namespace footfall {

struct ServerUrl {
    bool secure = false;
    char host[100] = "";
    uint16_t port = 0;
    char path[128] = "";  // of the batches: the address's own path plus /api/v1/crossings
};

// Parses http://HOST[:PORT][/PATH] or https://...; false for anything else. HOST is a name or an IPv4 address.
bool parse_server_url(const char* text, ServerUrl& url);

}  // namespace footfall
