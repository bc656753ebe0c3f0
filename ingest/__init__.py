"""The HTTP service: takes signed batches in, makes them durable, tells occupancy."""
