"""Runs Footfall and InfluxDB as real processes on loopback, for the demo, the benchmarks and the tests."""
