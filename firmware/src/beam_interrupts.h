// The two pins: every change is recorded by an interrupt, with its time.
#pragma once

#include <edge_buffer.h>
#include <settings.h>

// Configure the pins and begin to record. Once: the interrupts stay.
void start_beam_interrupts(const footfall::Settings& settings);

// Edges in the order of time; the interrupt writes, the loop reads.
footfall::EdgeBuffer& beam_edges();

// Levels of both pins now. Heals an interrupt that was missed: a level that differs from what was recorded is recorded.
footfall::Levels read_beams();
