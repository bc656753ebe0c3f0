#include "beam_interrupts.h"

#include <Arduino.h>

namespace {

footfall::EdgeBuffer edges;
uint8_t outer_pin;
uint8_t inner_pin;

// All that an interrupt reaches stands in IRAM: this, push(), and in the core digitalRead() and micros(). Flash may be
// busy with the queue at this moment, and code in flash would stop the board without a word from the compiler.
void IRAM_ATTR record_edge() {
    edges.push(micros(), {digitalRead(outer_pin) != LOW, digitalRead(inner_pin) != LOW});
}

}  // namespace

void start_beam_interrupts(const footfall::Settings& settings) {
    outer_pin = settings.outer_pin;
    inner_pin = settings.inner_pin;
    // The pull-up inside is 30 to 100 kilohms: too weak for a cable, but it keeps a pin without a sensor quiet.
    pinMode(outer_pin, INPUT_PULLUP);
    pinMode(inner_pin, INPUT_PULLUP);
    record_edge();
    attachInterrupt(digitalPinToInterrupt(outer_pin), record_edge, CHANGE);
    attachInterrupt(digitalPinToInterrupt(inner_pin), record_edge, CHANGE);
}

footfall::EdgeBuffer& beam_edges() { return edges; }

footfall::Levels read_beams() {
    noInterrupts();  // push() has one producer: the interrupt must not come in here
    record_edge();
    const footfall::Levels levels = {digitalRead(outer_pin) != LOW, digitalRead(inner_pin) != LOW};
    interrupts();
    return levels;
}
