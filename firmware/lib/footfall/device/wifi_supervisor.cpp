#include "device/wifi_supervisor.h"

namespace footfall {

WifiAction WifiSupervisor::update(bool up, uint32_t answer_age_ms, uint32_t now_ms) {
    const uint32_t elapsed_ms = now_ms - since_ms_;
    switch (state_) {
        case State::kIdle:
            enter(State::kJoining, now_ms);
            return WifiAction::kJoin;
        case State::kJoining:
            if (up) {
                failures_ = 0;
                pause_ms_ = kFirstPauseMs;
                enter(State::kJoined, now_ms);
                return WifiAction::kNone;
            }
            return elapsed_ms >= kJoinMs ? fail(now_ms) : WifiAction::kNone;
        case State::kJoined:
            // The second age gives a network that was just joined its time.
            if (!up || (answer_age_ms >= kSilenceMs && elapsed_ms >= kSilenceMs)) {
                enter(State::kPause, now_ms);
                return WifiAction::kLeave;
            }
            return WifiAction::kNone;
        case State::kPause:
            if (elapsed_ms < pause_ms_) {
                return WifiAction::kNone;
            }
            enter(State::kJoining, now_ms);
            return WifiAction::kJoin;
    }
    return WifiAction::kNone;
}

WifiAction WifiSupervisor::fail(uint32_t now_ms) {
    ++failures_;
    if (failures_ > 1) {
        pause_ms_ = pause_ms_ * 2 < kLongestPauseMs ? pause_ms_ * 2 : kLongestPauseMs;
    }
    enter(State::kPause, now_ms);
    return failures_ % kRadioOffEvery == 0 ? WifiAction::kRadioOff : WifiAction::kLeave;
}

void WifiSupervisor::enter(State state, uint32_t now_ms) {
    state_ = state;
    since_ms_ = now_ms;
}

}  // namespace footfall
