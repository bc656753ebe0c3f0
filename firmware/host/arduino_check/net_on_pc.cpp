// The network of the board on a PC: orders switch the radio up and down, sockets on the loopback are real.
//
//     BOARD_PORTAL_PORT   the port of the set-up page, instead of 80

#include <ESP8266HTTPClient.h>
#include <ESP8266WebServer.h>
#include <ESP8266WiFi.h>
#include <WiFiClientSecureBearSSL.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <string>

#include "board_on_pc.h"

namespace {

constexpr uint32_t kOwnNetwork = 0x0104A8C0;   // 192.168.4.1
constexpr uint32_t kHouseNetwork = 0x3901A8C0;  // 192.168.1.57

std::atomic<bool> wifi_up{false};
std::atomic<bool> asked_to_join{false};
std::atomic<bool> guest_is_own{true};

// Waits until *fd* is ready. Yields meanwhile, as the core does, so that recurrent functions run.
bool wait_for(int fd, short events, unsigned long timeout_ms) {
    const unsigned long start = millis();
    pollfd one = {fd, events, 0};
    while (poll(&one, 1, 2) == 0) {
        yield();
        if (millis() - start > timeout_ms) {
            return false;
        }
    }
    return true;
}

bool write_all(int fd, const std::string& text) {
    return send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

std::string read_until(int fd, std::string text, bool (*is_whole)(const std::string&), unsigned long timeout_ms) {
    char part[2048];
    while (!is_whole(text) && wait_for(fd, POLLIN, timeout_ms)) {
        const ssize_t size = recv(fd, part, sizeof part, 0);
        if (size <= 0) {
            break;
        }
        text.append(part, static_cast<size_t>(size));
    }
    return text;
}

std::string header_of(const std::string& head, const std::string& name) {
    const size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) {
        return "";
    }
    const size_t from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
}

bool has_head(const std::string& text) { return text.find("\r\n\r\n") != std::string::npos; }

}  // namespace

void obey_network(const std::string& line) {
    if (line == "wifi up" || line == "wifi down") {
        wifi_up = line == "wifi up";
    } else if (line == "guest own" || line == "guest other") {
        guest_is_own = line == "guest own";
    }
}

IPAddress::IPAddress(uint32_t address) : address_(address) {}
bool IPAddress::operator==(const IPAddress& other) const { return address_ == other.address_; }
String IPAddress::toString() const {
    in_addr address = {address_};
    return String(inet_ntoa(address));
}

void ESP8266WiFiClass::persistent(bool) {}
bool ESP8266WiFiClass::setAutoReconnect(bool) { return true; }
bool ESP8266WiFiClass::setSleepMode(WiFiSleepType_t, uint8_t) { return true; }
bool ESP8266WiFiClass::hostname(const String&) { return true; }
bool ESP8266WiFiClass::enableSTA(bool) { return true; }
bool ESP8266WiFiClass::enableAP(bool) { return true; }
wl_status_t ESP8266WiFiClass::begin(const char*, const char*, int32_t, const uint8_t*, bool) {
    asked_to_join = true;
    return WL_IDLE_STATUS;
}
bool ESP8266WiFiClass::disconnect(bool) {
    asked_to_join = false;
    return true;
}
wl_status_t ESP8266WiFiClass::status() { return wifi_up && asked_to_join ? WL_CONNECTED : WL_DISCONNECTED; }
int8_t ESP8266WiFiClass::RSSI() { return -61; }
IPAddress ESP8266WiFiClass::localIP() { return IPAddress(kHouseNetwork); }
bool ESP8266WiFiClass::softAP(const String&, const String&, int, int, int, int) { return true; }
bool ESP8266WiFiClass::softAPdisconnect(bool) { return true; }
IPAddress ESP8266WiFiClass::softAPIP() { return IPAddress(kOwnNetwork); }
ESP8266WiFiClass WiFi;

// ---- a connection

struct WiFiClient::Connection {
    int fd = -1;
    std::string read;  // bytes read ahead
    ~Connection() {
        if (fd >= 0) {
            close(fd);
        }
    }
};

WiFiClient::WiFiClient() = default;
int WiFiClient::connect(const char* host, uint16_t port) {
    connection_ = std::make_shared<Connection>();
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (!wifi_up || inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        return 0;
    }
    connection_->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ::connect(connection_->fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    int error = 0;
    socklen_t size = sizeof error;
    return wait_for(connection_->fd, POLLOUT, timeout_ms_) &&
           getsockopt(connection_->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}
size_t WiFiClient::write(uint8_t byte) { return write(&byte, 1); }
size_t WiFiClient::write(const uint8_t*, size_t size) { return size; }
int WiFiClient::available() { return 0; }
int WiFiClient::read() { return -1; }
int WiFiClient::peek() { return -1; }
void WiFiClient::stop() { connection_.reset(); }
uint8_t WiFiClient::connected() { return connection_ != nullptr; }
IPAddress WiFiClient::localIP() { return IPAddress(guest_is_own ? kOwnNetwork : kHouseNetwork); }

namespace {

// The stream of an answer's body.
class BodyStream : public WiFiClient {
   public:
    size_t readBytes(char* buffer, size_t length) override {
        std::string& read = connection_->read;
        const size_t size = std::min(length, read.size());
        memcpy(buffer, read.data(), size);
        read.erase(0, size);
        return size;
    }
};

}  // namespace

// ---- a request

struct HTTPClient::Exchange {
    WiFiClient* client = nullptr;
    BodyStream body;
    std::string host, uri, headers, head;
    uint16_t port = 0;
    bool https = false;
};

HTTPClient::HTTPClient() : exchange_(new Exchange()) {}
HTTPClient::~HTTPClient() = default;
bool HTTPClient::begin(WiFiClient& client, const String& host, uint16_t port, const String& uri, bool https) {
    exchange_->client = &client;
    exchange_->host = host.c_str();
    exchange_->port = port;
    exchange_->uri = uri.c_str();
    exchange_->https = https;
    return true;
}
void HTTPClient::end() { exchange_->client->stop(); }
void HTTPClient::setReuse(bool) {}
void HTTPClient::setUserAgent(const String&) {}
void HTTPClient::setTimeout(uint16_t) {}
void HTTPClient::useHTTP10(bool) {}
void HTTPClient::addHeader(const String& name, const String& value, bool, bool) {
    exchange_->headers += std::string(name.c_str()) + ": " + value.c_str() + "\r\n";
}
void HTTPClient::collectHeaders(const char**, size_t) {}
int HTTPClient::POST(const uint8_t* payload, size_t size) {
    constexpr int kConnectionFailed = -1;
    constexpr int kReadTimeout = -11;
    Exchange& now = *exchange_;
    if (now.https || !now.client->connect(now.host.c_str(), now.port)) {
        return kConnectionFailed;
    }
    const int fd = now.client->connection_->fd;
    const std::string body(reinterpret_cast<const char*>(payload), size);
    write_all(fd, "POST " + now.uri + " HTTP/1.0\r\nHost: " + now.host + "\r\n" + now.headers +
                      "Content-Length: " + std::to_string(size) + "\r\n\r\n" + body);
    const std::string answer = read_until(fd, "", [](const std::string&) { return false; }, 5'000);
    int status = 0;
    if (!has_head(answer) || sscanf(answer.c_str(), "HTTP/%*s %d", &status) != 1) {
        return kReadTimeout;
    }
    // Header names are case-insensitive, as in the core.
    now.head = answer.substr(0, answer.find("\r\n\r\n") + 2);
    now.client->connection_->read = answer.substr(answer.find("\r\n\r\n") + 4);
    now.body.connection_ = now.client->connection_;
    return status;
}
String HTTPClient::header(const char* name) {
    std::string small = name;
    for (char& letter : small) {
        letter = static_cast<char>(tolower(letter));
    }
    const std::string value = header_of(exchange_->head, small);
    return String((value.empty() ? header_of(exchange_->head, name) : value).c_str());
}
int HTTPClient::getSize() { return static_cast<int>(exchange_->body.connection_->read.size()); }
WiFiClient& HTTPClient::getStream() { return exchange_->body; }
String HTTPClient::errorToString(int error) { return String(error == -1 ? "connection failed" : "read Timeout"); }

// ---- the set-up page's server

struct ESP8266WebServer::State {
    int listening = -1;
    std::map<std::string, THandlerFunction> routes;
    THandlerFunction not_found;
    WiFiClient client;
    std::map<std::string, String> arguments;
    std::string headers;
    int fd = -1;
};

namespace {

std::string decoded(const std::string& text) {
    std::string plain;
    for (size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '%' && at + 2 < text.size()) {
            plain += static_cast<char>(strtol(text.substr(at + 1, 2).c_str(), nullptr, 16));
            at += 2;
        } else {
            plain += text[at] == '+' ? ' ' : text[at];
        }
    }
    return plain;
}

std::map<std::string, String> parse_form(const std::string& form) {
    std::map<std::string, String> fields;
    for (size_t at = 0; at < form.size();) {
        const size_t end = std::min(form.find('&', at), form.size());
        const std::string field = form.substr(at, end - at);
        const size_t equals = std::min(field.find('='), field.size());
        const std::string value = field.substr(std::min(equals + 1, field.size()));
        fields[decoded(field.substr(0, equals))] = String(decoded(value).c_str());
        at = end + 1;
    }
    return fields;
}

bool has_body(const std::string& text) {
    const size_t head = text.find("\r\n\r\n");
    return head != std::string::npos &&
           text.size() >= head + 4 + strtoul(header_of(text, "Content-Length").c_str(), nullptr, 10);
}

}  // namespace

Uri::Uri(const char* uri) : Uri(String(uri)) {}
Uri::Uri(const String& uri) : text(uri) {}
ESP8266WebServer::ESP8266WebServer(int) : state_(new State()) {}
ESP8266WebServer::~ESP8266WebServer() = default;
void ESP8266WebServer::begin() {
    const char* port = getenv("BOARD_PORTAL_PORT");
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port != nullptr ? atoi(port) : 0));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int yes = 1;
    state_->listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(state_->listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(state_->listening, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(state_->listening, 8) != 0) {
        perror("the set-up page cannot listen");
    }
}
void ESP8266WebServer::handleClient() {
    state_->fd = accept(state_->listening, nullptr, nullptr);
    if (state_->fd < 0) {
        return;
    }
    const std::string request = read_until(state_->fd, "", has_body, 2'000);
    const std::string route = request.substr(0, request.find(' ', request.find(' ') + 1));
    state_->arguments = parse_form(request.substr(std::min(request.find("\r\n\r\n") + 4, request.size())));
    state_->headers.clear();
    const auto found = state_->routes.find(route);
    (found != state_->routes.end() ? found->second : state_->not_found)();
    close(state_->fd);
}
void ESP8266WebServer::stop() { close(state_->listening); }
void ESP8266WebServer::on(const Uri& uri, HTTPMethod method, THandlerFunction fn) {
    state_->routes[std::string(method == HTTP_GET ? "GET " : "POST ") + uri.text.c_str()] = fn;
}
void ESP8266WebServer::onNotFound(THandlerFunction fn) { state_->not_found = fn; }
WiFiClient& ESP8266WebServer::client() { return state_->client; }
const String& ESP8266WebServer::arg(const String& name) const {
    static const String none;
    const auto found = state_->arguments.find(name.c_str());
    return found != state_->arguments.end() ? found->second : none;
}
bool ESP8266WebServer::hasArg(const String& name) const { return state_->arguments.count(name.c_str()) > 0; }
void ESP8266WebServer::send(int code, const char* type, const String& content) { send(code, type, content.c_str()); }
void ESP8266WebServer::send(int code, const char* type, const char* content) {
    write_all(state_->fd, "HTTP/1.0 " + std::to_string(code) + " Status\r\nContent-Type: " + type + "\r\n" +
                              state_->headers + "\r\n" + content);
}
void ESP8266WebServer::setContentLength(size_t) {}
void ESP8266WebServer::sendHeader(const String& name, const String& value, bool) {
    state_->headers += std::string(name.c_str()) + ": " + value.c_str() + "\r\n";
}
void ESP8266WebServer::sendContent(const char* content) { write_all(state_->fd, content); }
void ESP8266WebServer::sendContent(const char* content, size_t size) {
    write_all(state_->fd, std::string(content, size));
}

// ---- TLS stubs, to link; https does not work here

namespace BearSSL {
X509List::X509List() = default;
bool X509List::append(const char*) { return true; }
WiFiClientSecure::WiFiClientSecure() = default;
void WiFiClientSecure::setSession(Session*) {}
bool WiFiClientSecure::setFingerprint(const char*) { return true; }
void WiFiClientSecure::setTrustAnchors(const X509List*) {}
void WiFiClientSecure::setX509Time(time_t) {}
void WiFiClientSecure::setBufferSizes(int, int) {}
bool WiFiClientSecure::probeMaxFragmentLength(const char*, uint16_t, uint16_t) { return false; }
}  // namespace BearSSL
