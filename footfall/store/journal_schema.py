"""The journal's schema: one script a version.

    counter  1--n  stream  1--n  crossing        every acknowledged count; ids follow the order of arrival
       |                                         (stream, seq) names a crossing for ever
       +--n quarter                              sums per UTC quarter hour, updated in the same transaction
       +--n coverage                             disjoint, merged spans during which the counter was counting
       +--1 counter_state                        latest receipt, crossing and status report
       +--n outbox                               what the forwarder sends to InfluxDB besides the crossings
       +--n placement                            the site of the counter, from a given row on
       +--n pruned_sum                           sums of pruned crossings (journal_pruning.py)
    stream 1--n pruned                           ranges of pruned seqs

``quarter`` can be rebuilt from ``crossing`` and ``pruned_sum``; ``footfall doctor --deep`` compares them. The
forwarder reads ``crossing`` and ``outbox`` in the order of their ids, so an id must never be reused: code that
deletes forwarded rows keeps the newest row, and the row at the forwarder's cursor.
"""

MIGRATIONS = (
    """
    CREATE TABLE counter (
        id    INTEGER PRIMARY KEY,
        name  TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE stream (
        id         INTEGER PRIMARY KEY,
        counter    INTEGER NOT NULL REFERENCES counter,
        name       TEXT NOT NULL,
        first_seq  INTEGER NOT NULL,
        last_seq   INTEGER NOT NULL,
        stored     INTEGER NOT NULL,   -- crossings stored; last_seq - first_seq + 1 - stored are lost or still to come
        undated    INTEGER NOT NULL,
        conflicts  INTEGER NOT NULL,   -- seqs that came again with other content, or that an import superseded
        UNIQUE (counter, name)
    ) STRICT;
    CREATE TABLE crossing (
        id             INTEGER PRIMARY KEY,   -- order of arrival
        stream         INTEGER NOT NULL REFERENCES stream,
        seq            INTEGER NOT NULL,
        time_epoch_ms  INTEGER NOT NULL,
        entries        INTEGER NOT NULL,
        exits          INTEGER NOT NULL,
        undated        INTEGER NOT NULL,      -- 1: the counter knew no time; time_epoch_ms is that of receipt
        told           INTEGER NOT NULL       -- 1: an import already covers this half hour; stored, but in no sum
    ) STRICT;
    CREATE UNIQUE INDEX crossing_name ON crossing (stream, seq);
    CREATE TABLE quarter (
        counter         INTEGER NOT NULL REFERENCES counter,
        start_epoch_ms  INTEGER NOT NULL,
        entries         INTEGER NOT NULL,
        exits           INTEGER NOT NULL,
        PRIMARY KEY (counter, start_epoch_ms)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE coverage (
        counter        INTEGER NOT NULL REFERENCES counter,
        from_epoch_ms  INTEGER NOT NULL,
        to_epoch_ms    INTEGER NOT NULL,
        PRIMARY KEY (counter, from_epoch_ms)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE sighting (
        counter            INTEGER PRIMARY KEY REFERENCES counter,
        received_epoch_ms  INTEGER NOT NULL,
        crossing_epoch_ms  INTEGER,
        status             TEXT
    ) STRICT;
    CREATE TABLE probe (id INTEGER PRIMARY KEY, written_epoch_ms INTEGER NOT NULL) STRICT;
    """,
    """
    CREATE TABLE forwarding (
        id      INTEGER PRIMARY KEY CHECK (id = 1),
        ingest  TEXT NOT NULL,      -- a random id: several ingests may write to one InfluxDB
        is_on   INTEGER NOT NULL    -- 1: each arrival adds rows to the outbox
    ) STRICT;
    CREATE TABLE outbox (
        id                 INTEGER PRIMARY KEY,   -- order of arrival
        counter            INTEGER NOT NULL REFERENCES counter,
        received_epoch_ms  INTEGER NOT NULL,
        from_epoch_ms      INTEGER,               -- a newly covered span, if any
        to_epoch_ms        INTEGER,
        stored             INTEGER,               -- the batch's receipt; NULL: the row is not about a batch
        duplicates         INTEGER,
        crossing_epoch_ms  INTEGER,
        status             TEXT,
        stream             INTEGER REFERENCES stream,   -- the stream's figures after the batch
        first_seq          INTEGER,
        last_seq           INTEGER,
        kept               INTEGER,
        undated            INTEGER,
        conflicts          INTEGER
    ) STRICT;
    CREATE TABLE placement (
        counter         INTEGER NOT NULL REFERENCES counter,
        after_crossing  INTEGER NOT NULL,   -- applies to rows with a greater id, up to the next placement
        after_outbox    INTEGER NOT NULL,
        site            TEXT NOT NULL,      -- empty: no site
        PRIMARY KEY (counter, after_crossing, after_outbox)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE pruned (
        stream     INTEGER NOT NULL REFERENCES stream,
        first_seq  INTEGER NOT NULL,
        last_seq   INTEGER NOT NULL,   -- inclusive; all were stored once, and are in InfluxDB
        PRIMARY KEY (stream, first_seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE pruned_sum (
        counter         INTEGER NOT NULL REFERENCES counter,
        start_epoch_ms  INTEGER NOT NULL,
        entries         INTEGER NOT NULL,   -- of pruned crossings; part of the sums in quarter
        exits           INTEGER NOT NULL,
        PRIMARY KEY (counter, start_epoch_ms)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE pruning (
        id               INTEGER PRIMARY KEY CHECK (id = 1),
        before_epoch_ms  INTEGER NOT NULL    -- no crossing at or after this was ever pruned
    ) STRICT;
    """,
    """
    ALTER TABLE crossing RENAME COLUMN told TO superseded_by_import;
    ALTER TABLE sighting RENAME TO counter_state;
    """,
)
