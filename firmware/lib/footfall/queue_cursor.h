// Reading the log: what each record changes for whoever comes past it.
#pragma once

#include "crossing_queue.h"

namespace footfall {

// A cursor's next step, looked at before it is taken.
struct Ahead {
    RecordRing::Read read;
    Record record;  // where read is kRecord
    Stream stream;
    Place place;   // behind it
    bool is_seam;  // no span may be claimed across it
    bool is_jump;  // sectors are missing; the header of the next one tells what holds there
    Header header;
};

Ahead look_ahead(RecordRing& ring, const Cursor& cursor);

// Moves *cursor* over *ahead*, which is not the end.
void pass(Cursor& cursor, const Ahead& ahead);

}  // namespace footfall
