// The address of the server, taken apart.
#pragma once

#include <stdint.h>

namespace footfall {

struct ServerUrl {
    bool secure = false;
    char host[100] = "";
    uint16_t port = 0;
    char path[128] = "";  // of the batches: what the address had, without its last slash, and /api/v1/crossings
};

// Take http://HOST[:PORT][/PATH] or https:// apart; false where it is neither. Names and IPv4 addresses only.
bool parse_server_url(const char* text, ServerUrl& url);

}  // namespace footfall
