// The counter's status: for the next batch, and for the serial console.
#pragma once

#include "detector/crossing_source.h"
#include "queue/crossing_queue.h"
#include "sending/batch_json.h"
#include "time/clock.h"

#include "radio.h"

// Returns the `status` object of wire format 1.
footfall::Status report_status(const footfall::CrossingSource& source, const footfall::Queue& queue,
                               const Radio& radio);

// Prints it with the clock, one line per topic.
void print_status(const footfall::Status& status, const footfall::Clock& clock,
                  const footfall::CrossingSource& source);
