#include "updates.h"

#if __has_include("ota_key.h")

#include <ArduinoOTA.h>
#include <WiFiClientSecureBearSSL.h>

#include "board.h"
#include "flash_ring.h"
#include "log.h"
#include "ota_key.h"

namespace {

// The core stages an update right below the file system before it checks the signature. A file system image, or a
// program long enough to reach the queue, would overwrite our data, so both are refused before the first byte.
void refuse_what_overwrites() {
    constexpr uint32_t kRoom = 0x300000 - FlashRing::kEnd;
    if (ArduinoOTA.getCommand() == U_FLASH && Update.size() <= kRoom) {
        log_line("update started; bytes=%u", static_cast<unsigned>(Update.size()));
        return;
    }
    log_line("error: update refused: it is not a program, or it is too long");
    Update.end();  // discards the update: ArduinoOTA's loop ends without writing
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
    ArduinoOTA.onEnd([]() { log_line("update complete, signature valid; restarting"); });
    ArduinoOTA.onError([](ota_error_t error) {
        log_line("warning: update failed: %s; code=%d",
                 Update.getError() == UPDATE_ERROR_SIGN ? "the signature is invalid" : "nothing was changed",
                 static_cast<int>(error));
    });
    ArduinoOTA.begin(false);
    log_line("listening for signed updates");
}

void serve_updates() { ArduinoOTA.handle(); }

#else

void begin_updates(const footfall::Settings&) {}

void serve_updates() {}

#endif
