#include "updates.h"

#if __has_include("ota_key.h")

#include <ArduinoOTA.h>
#include <WiFiClientSecureBearSSL.h>

#include "board.h"
#include "flash_ring.h"
#include "log.h"
#include "ota_key.h"

namespace {

// What is written lies right below the file system, before anybody has checked a signature. So two things that would
// overwrite what is ours are stopped before the first byte: a file system image, and a program that reaches the queue.
void refuse_what_overwrites() {
    constexpr uint32_t kRoom = 0x300000 - FlashRing::kEnd;
    if (ArduinoOTA.getCommand() == U_FLASH && Update.size() <= kRoom) {
        log_line("update of %u bytes begins; counting goes on", static_cast<unsigned>(Update.size()));
        return;
    }
    log_line("error: update refused: it is no program, or too long");
    Update.end();  // forgets the update: the loop in ArduinoOTA ends without having written
}

}  // namespace

void begin_updates(const footfall::Settings& settings) {
    static BearSSL::PublicKey key(kUpdateKey);
    static BearSSL::HashSHA256 hash;
    static BearSSL::SigningVerifier verifier(&key);
    Update.installSignature(&hash, &verifier);
    ArduinoOTA.setHostname(board_name().c_str());
    ArduinoOTA.setPassword(settings.setup_password);
    ArduinoOTA.onStart(refuse_what_overwrites);
    ArduinoOTA.onEnd([]() { log_line("update is whole and its signature good; restarting"); });
    ArduinoOTA.onError([](ota_error_t error) {
        log_line("warning: update failed, code %d, %s", static_cast<int>(error),
                 Update.getError() == UPDATE_ERROR_SIGN ? "the signature is wrong" : "nothing was changed");
    });
    ArduinoOTA.begin(false);
    log_line("updates over the air: on, signed ones only");
}

void serve_updates() { ArduinoOTA.handle(); }

#else

void begin_updates(const footfall::Settings&) {}

void serve_updates() {}

#endif
