"""Simulated people and simulated counters: the counters POST real signed batches to a real ingest.

    walk_day ──crossings──> SimulatedCounter ──post──> UnreliableNetwork ──post──> HttpTransport ──> ingest
    (people)                (backlog, spans, seqs)     (loses, duplicates)         (urllib3)

The simulator knows the wire format and nothing else of the services. It returns every simulated crossing as the
truth, so a test can compare what was stored with what happened.
"""
