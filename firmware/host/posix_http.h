// One POST over its own socket: plain HTTP/1.1 with one deadline for the whole exchange.
#pragma once

#include <stdint.h>

#include <string>

#include "sending/sender.h"

struct HttpUrl {
    std::string host;
    std::string port;
    std::string path;  // before /api/v1/crossings, without a trailing slash
};

// Parses "http://HOST[:PORT][/PATH]"; an IPv6 address is in brackets. False for anything else.
bool parse_url(const char* text, HttpUrl& url);

// The server's answer; status 0 if there was none.
struct HttpReply {
    int status = 0;
    std::string date;
    std::string retry_after;
    std::string body;
};

// POSTs *request* to *url* and returns the reply; the deadline is *timeout_ms* from now.
HttpReply post(const HttpUrl& url, const footfall::Request& request, int64_t timeout_ms);
