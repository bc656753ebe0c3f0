"""The daily file: renders each day for each client and delivers it."""
