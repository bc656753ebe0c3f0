"""The journal's tables, one script a version, applied in order inside one transaction.

    counter  1--n  stream  1--n  crossing        every count that was acknowledged, in order of arrival (id)
       |                                         (stream, seq) names it for ever
       +--n quarter                              sums per quarter hour of UTC, kept in the same transaction
       +--n coverage                             disjoint spans in which the counter was counting, merged
       +--1 sighting                             the last that was heard of it
       +--n outbox                               what InfluxDB is still to be told beside the crossings themselves
       +--n placement                            at which site it was, from which row on
       +--n pruned_sum                           what crossings that were pruned (prune.py) add up to
    stream 1--n pruned                           their names: ranges of seq

``quarter`` can be made again from ``crossing`` and ``pruned_sum`` at any time; ``footfall doctor`` compares them.
``crossing`` and ``outbox`` are forwarded in the order of their ids. So no id may ever come twice: whoever deletes
forwarded rows leaves the newest, and the one the forwarder's cursor is at.
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
        stored     INTEGER NOT NULL,   -- crossings kept; last_seq - first_seq + 1 - stored are lost, or still to come
        undated    INTEGER NOT NULL,
        conflicts  INTEGER NOT NULL,   -- a seq that came again with other content, or in a half hour already told
        UNIQUE (counter, name)
    ) STRICT;
    CREATE TABLE crossing (
        id             INTEGER PRIMARY KEY,   -- order of arrival
        stream         INTEGER NOT NULL REFERENCES stream,
        seq            INTEGER NOT NULL,
        time_epoch_ms  INTEGER NOT NULL,
        entries        INTEGER NOT NULL,
        exits          INTEGER NOT NULL,
        undated        INTEGER NOT NULL,      -- 1: the counter knew no time, this is when it was received
        told           INTEGER NOT NULL       -- 1: history had told this half hour already; kept, but in no sum
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
        ingest  TEXT NOT NULL,      -- a random name: several ingests may write to one InfluxDB
        is_on   INTEGER NOT NULL    -- 1: each arrival puts rows into the outbox
    ) STRICT;
    CREATE TABLE outbox (
        id                 INTEGER PRIMARY KEY,   -- order of arrival
        counter            INTEGER NOT NULL REFERENCES counter,
        received_epoch_ms  INTEGER NOT NULL,
        from_epoch_ms      INTEGER,               -- a piece of time that was not covered before, if there is one
        to_epoch_ms        INTEGER,
        stored             INTEGER,               -- the receipt of a batch; NULL: this is not about a batch
        duplicates         INTEGER,
        crossing_epoch_ms  INTEGER,
        status             TEXT,
        stream             INTEGER REFERENCES stream,   -- and the stream's figures as they were then
        first_seq          INTEGER,
        last_seq           INTEGER,
        kept               INTEGER,
        undated            INTEGER,
        conflicts          INTEGER
    ) STRICT;
    CREATE TABLE placement (
        counter         INTEGER NOT NULL REFERENCES counter,
        after_crossing  INTEGER NOT NULL,   -- holds for rows with a greater id, up to the next placement
        after_outbox    INTEGER NOT NULL,
        site            TEXT NOT NULL,      -- empty: it was at none
        PRIMARY KEY (counter, after_crossing, after_outbox)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE pruned (
        stream     INTEGER NOT NULL REFERENCES stream,
        first_seq  INTEGER NOT NULL,
        last_seq   INTEGER NOT NULL,   -- itself included; all of them were kept once, and are in InfluxDB
        PRIMARY KEY (stream, first_seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE pruned_sum (
        counter         INTEGER NOT NULL REFERENCES counter,
        start_epoch_ms  INTEGER NOT NULL,
        entries         INTEGER NOT NULL,   -- of what was pruned, a part of the sums in quarter
        exits           INTEGER NOT NULL,
        PRIMARY KEY (counter, start_epoch_ms)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE pruning (
        id               INTEGER PRIMARY KEY CHECK (id = 1),
        before_epoch_ms  INTEGER NOT NULL    -- no crossing at or after it was ever pruned
    ) STRICT;
    """,
)
