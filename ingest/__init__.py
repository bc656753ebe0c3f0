"""The HTTP service: stores the counters' signed batches, serves occupancy and the pages."""
