#include "posix_http.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

namespace {

constexpr size_t kLongestReply = 64 * 1024;

int64_t monotonic_ms() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

class Connection {
   public:
    explicit Connection(int64_t timeout_ms) : deadline_ms_(monotonic_ms() + timeout_ms) {}
    ~Connection() {
        if (socket_ >= 0) {
            close(socket_);
        }
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    bool open(const HttpUrl& url) {
        addrinfo wanted = {};
        wanted.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        if (getaddrinfo(url.host.c_str(), url.port.c_str(), &wanted, &found) != 0) {
            return false;
        }
        for (const addrinfo* one = found; one != nullptr && socket_ < 0; one = one->ai_next) {
            open_one(*one);
        }
        freeaddrinfo(found);
        return socket_ >= 0;
    }

    bool send_all(const std::string& text) {
        size_t sent = 0;
        while (sent < text.size()) {
            const ssize_t done = send(socket_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
            if (done > 0) {
                sent += static_cast<size_t>(done);
            } else if (errno != EAGAIN || !await(POLLOUT)) {
                return false;
            }
        }
        return true;
    }

    // Appends received bytes to *text*; false at the end or after an error.
    bool receive(std::string& text) {
        char piece[4096];
        for (;;) {
            const ssize_t got = recv(socket_, piece, sizeof piece, 0);
            if (got > 0) {
                text.append(piece, static_cast<size_t>(got));
                return text.size() <= kLongestReply;
            }
            if (got == 0 || errno != EAGAIN || !await(POLLIN)) {
                return false;
            }
        }
    }

   private:
    void open_one(const addrinfo& address) {
        socket_ = socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (socket_ < 0) {
            return;
        }
        int problem = 0;
        socklen_t size = sizeof problem;
        const bool is_connected = connect(socket_, address.ai_addr, address.ai_addrlen) == 0 ||
                                  (errno == EINPROGRESS && await(POLLOUT) &&
                                   getsockopt(socket_, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 && problem == 0);
        if (!is_connected) {
            close(socket_);
            socket_ = -1;
        }
    }

    bool await(short what) {
        const int64_t left_ms = deadline_ms_ - monotonic_ms();
        pollfd waiting = {socket_, what, 0};
        return left_ms > 0 && poll(&waiting, 1, static_cast<int>(left_ms)) > 0;
    }

    int64_t deadline_ms_;
    int socket_ = -1;
};

// Returns the value of the header *name* in *head*; empty if there is none.
std::string header(const std::string& head, const char* name) {
    const size_t length = strlen(name);
    for (size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at)) {
        at += 2;
        if (strncasecmp(head.c_str() + at, name, length) == 0 && head[at + length] == ':') {
            const size_t start = head.find_first_not_of(" \t", at + length + 1);
            return start == std::string::npos ? "" : head.substr(start, head.find("\r\n", start) - start);
        }
    }
    return "";
}

std::string rendered(const HttpUrl& url, const footfall::Request& request) {
    const bool is_ipv6 = url.host.find(':') != std::string::npos;
    std::string text = "POST " + url.path + "/api/v1/crossings HTTP/1.1\r\nHost: ";
    text += (is_ipv6 ? "[" + url.host + "]" : url.host) + ":" + url.port;
    text += "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ";
    text += std::to_string(request.body_size) + "\r\nwebhook-id: " + request.id;
    text += std::string("\r\nwebhook-timestamp: ") + request.timestamp + "\r\nwebhook-signature: " + request.signature;
    return text + "\r\n\r\n" + std::string(request.body, request.body_size);
}

}  // namespace

bool parse_url(const char* text, HttpUrl& url) {
    const std::string all = text;
    if (all.rfind("http://", 0) != 0) {
        return false;
    }
    const size_t slash = all.find('/', 7);
    std::string place = all.substr(7, slash == std::string::npos ? std::string::npos : slash - 7);
    url.path = slash == std::string::npos ? "" : all.substr(slash);
    while (!url.path.empty() && url.path.back() == '/') {
        url.path.pop_back();
    }
    const size_t bracket = place.rfind(']');
    const size_t colon = place.rfind(':');
    const bool has_port = colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
    url.port = has_port ? place.substr(colon + 1) : "80";
    url.host = has_port ? place.substr(0, colon) : place;
    if (url.host.size() > 2 && url.host.front() == '[' && url.host.back() == ']') {
        url.host = url.host.substr(1, url.host.size() - 2);
    }
    return !url.host.empty() && !url.port.empty() && url.port.find_first_not_of("0123456789") == std::string::npos;
}

HttpReply post(const HttpUrl& url, const footfall::Request& request, int64_t timeout_ms) {
    Connection connection(timeout_ms);
    HttpReply reply;
    std::string text;
    if (!connection.open(url) || !connection.send_all(rendered(url, request))) {
        return reply;
    }
    size_t end = std::string::npos;
    while ((end = text.find("\r\n\r\n")) == std::string::npos) {
        if (!connection.receive(text)) {
            return reply;
        }
    }
    const std::string head = text.substr(0, end + 2);
    const std::string length = header(head, "content-length");
    const size_t size = length.empty() ? kLongestReply : static_cast<size_t>(strtoul(length.c_str(), nullptr, 10));
    while (text.size() < end + 4 + size && connection.receive(text)) {
    }
    reply.body = text.substr(end + 4);
    const bool is_whole = length.empty() || reply.body.size() >= size;
    reply.status = is_whole && head.rfind("HTTP/1.", 0) == 0 && head.size() > 12 ? atoi(head.c_str() + 9) : 0;
    reply.date = header(head, "date");
    reply.retry_after = header(head, "retry-after");
    return reply;
}
