"""Counters that were never soldered: they walk people through doors and POST real signed batches.

    walk_day ──crossings──> SimulatedCounter ──post──> UnreliableNetwork ──post──> HttpTransport ──> ingest
    (people)                (queue, spans, seq)        (cuts, copies)              (urllib3)

A driver like any other: it knows the wire format and nothing of the services. What the people did is returned as
the truth, so that whatever was stored can be held against it.
"""
