// One POST over a socket of its own: HTTP/1.1, plain, with one deadline over all of it.
#pragma once

#include <stdint.h>

#include <string>

#include "sender.h"

struct HttpUrl {
    std::string host;
    std::string port;
    std::string path;  // as it stands before /api/v1/crossings, without a slash at its end
};

// Reads "http://HOST[:PORT][/PATH]"; an IPv6 address stands in brackets. False for anything else.
bool parse_url(const char* text, HttpUrl& url);

// What came back. status 0: no answer.
struct HttpReply {
    int status = 0;
    std::string date;
    std::string retry_after;
    std::string body;
};

// POSTs *request* to *url* and returns the reply; the deadline is *timeout_ms* from now.
HttpReply post(const HttpUrl& url, const footfall::Request& request, int64_t timeout_ms);
