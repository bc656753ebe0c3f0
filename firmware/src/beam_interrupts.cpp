#include "beam_interrupts.h"

#include <Arduino.h>

namespace {

footfall::EdgeBuffer edges;
uint8_t outer_pin;
uint8_t inner_pin;

// Everything that the interrupt calls is in IRAM: this function, push(), and the core's digitalRead() and micros(). The
// flash may be busy with the queue; code in flash would crash the board then, and the compiler does not warn.
void IRAM_ATTR record_edge() {
    edges.push(micros(), {digitalRead(outer_pin) != LOW, digitalRead(inner_pin) != LOW});
}

}  // namespace

void start_beam_interrupts(const footfall::Settings& settings) {
    outer_pin = settings.outer_pin;
    inner_pin = settings.inner_pin;
    // The internal pull-up of 30 to 100 kilohms is too weak for a cable, but keeps a pin without a sensor quiet.
    pinMode(outer_pin, INPUT_PULLUP);
    pinMode(inner_pin, INPUT_PULLUP);
    record_edge();
    attachInterrupt(digitalPinToInterrupt(outer_pin), record_edge, CHANGE);
    attachInterrupt(digitalPinToInterrupt(inner_pin), record_edge, CHANGE);
}

footfall::EdgeBuffer& beam_edges() { return edges; }

footfall::Levels read_beams() {
    noInterrupts();  // push() allows one producer: the interrupt must not run here
    record_edge();
    const footfall::Levels levels = {digitalRead(outer_pin) != LOW, digitalRead(inner_pin) != LOW};
    interrupts();
    return levels;
}
