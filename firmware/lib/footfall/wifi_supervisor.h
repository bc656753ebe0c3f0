// Decides when to join the WiFi again, for ever. It never restarts the board: counting goes on without a network.
//
//     idle --join--> joining --joined--> joined --lost, or no answer for long--> pause --over--> joining
//                       \--20 s without success--> pause (1, 2, 4 ... 60 s; every fifth time the radio goes off first)
//
// The core's own setAutoReconnect(true) does nothing once the station is down, and a station may call itself connected
// while nothing comes through (esp8266/Arduino issue 5527). So it is switched off, and the age of the server's last
// answer counts as well.
#pragma once

#include <stdint.h>

namespace footfall {

enum class WifiAction : uint8_t {
    kNone,
    kJoin,      // leave, then begin with the settings' name and password
    kLeave,     // leave the network; the next kJoin comes later
    kRadioOff,  // switch the radio off; the next kJoin switches it on
};

class WifiSupervisor {
   public:
    static constexpr uint32_t kJoinMs = 20'000;          // association and DHCP together seldom take 10 s
    static constexpr uint32_t kFirstPauseMs = 1'000;
    static constexpr uint32_t kLongestPauseMs = 60'000;
    static constexpr uint32_t kSilenceMs = 15 * 60'000;  // no answer of the server for so long: join anew, it is cheap
    static constexpr uint32_t kRadioOffEvery = 5;        // failures in a row

    // What to do now. *up*: the station has an address. *answer_age_ms*: since the server last answered anything.
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
