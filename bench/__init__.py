"""`make bench`: performance and accuracy. Compare ratios within one run, because machines differ."""
