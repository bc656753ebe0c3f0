// What the counter knows of itself: for the next batch, and for a person at the serial line.
#pragma once

#include <batch.h>
#include <clock.h>
#include <crossing_queue.h>
#include <door.h>

#include "radio.h"

// The `status` of wire format 1.
footfall::Status report_status(const footfall::Door& door, const footfall::Queue& queue, const Radio& radio);

// The same and the clock, a line each.
void print_status(const footfall::Status& status, const footfall::Clock& clock, const footfall::Door& door);
