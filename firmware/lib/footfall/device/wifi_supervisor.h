// Decides when to join the WiFi. Retries for ever and never restarts the board: counting goes on without a network.
//
//     idle --join--> joining --joined--> joined --lost, or no answer for 15 min--> pause --over--> joining
//                       \--20 s without success--> pause (1, 2, 4 ... 60 s; the radio is switched off every fifth time)
//
// The Arduino core's setAutoReconnect(true) does nothing once the station is down, and a station may report a
// connection through which nothing passes (esp8266/Arduino issue 5527). So auto-reconnect is off, and the age of the
// server's last answer counts too.
#pragma once

#include <stdint.h>

namespace footfall {

enum class WifiAction : uint8_t {
    kNone,
    kJoin,      // join the configured network
    kLeave,     // leave the network until the next kJoin
    kRadioOff,  // switch the radio off until the next kJoin
};

class WifiSupervisor {
   public:
    static constexpr uint32_t kJoinMs = 20'000;          // association and DHCP together rarely take 10 s
    static constexpr uint32_t kFirstPauseMs = 1'000;
    static constexpr uint32_t kLongestPauseMs = 60'000;
    static constexpr uint32_t kSilenceMs = 15 * 60'000;  // without an answer from the server; rejoining is cheap
    static constexpr uint32_t kRadioOffEvery = 5;        // failures in a row

    // Returns what to do now. *up*: the station has an address. *answer_age_ms*: time since the server's last answer.
    WifiAction update(bool up, uint32_t answer_age_ms, uint32_t now_ms);

    bool joined() const { return state_ == State::kJoined; }

   private:
    enum class State : uint8_t { kIdle, kJoining, kJoined, kPause };

    WifiAction fail(uint32_t now_ms);
    void enter(State state, uint32_t now_ms);

    State state_ = State::kIdle;
    uint32_t since_ms_ = 0;
    uint32_t pause_ms_ = kFirstPauseMs;
    uint32_t failures_ = 0;
};

}  // namespace footfall
