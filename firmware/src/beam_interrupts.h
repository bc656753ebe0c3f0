// Records every change of the two pins, with its time, by an interrupt.
#pragma once

#include "detector/edge_buffer.h"
#include "settings/settings.h"

// Configures the pins and starts recording. Call it once.
void start_beam_interrupts(const footfall::Settings& settings);

// The recorded edges: the interrupt pushes, the loop pops.
footfall::EdgeBuffer& beam_edges();

// Returns the present levels of both pins, and records them if an interrupt was missed.
footfall::Levels read_beams();
