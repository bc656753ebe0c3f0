"""The stores: the journal of ingest, its copy in InfluxDB, and the ledger of the exporter.

    ingest --> journal --> outbox --> forwarder --> InfluxDB
                  |                                    |
                  +----------- reader -----------------+--> exporter, pages, API        exporter --> ledger

| layer     | file                  | responsibility                                                            |
| --------- | --------------------- | ------------------------------------------------------------------------- |
| reading   | reader                | the interface of every reader; opens the one a configuration selects      |
|           | journal_reader        | answers from the journal                                                  |
|           | influx_reader         | answers from InfluxDB: sums and coverage                                  |
|           | influx_counter_states | answers from InfluxDB: the state of counters, and how complete it is      |
| writing   | group_commit          | lets many threads append to the journal with one fsync                    |
|           | historical_counts     | appends half hours from imports and old devices                           |
|           | journal               | appends each count exactly once                                           |
|           | write_buffer          | writes the rows of one transaction in few statements                      |
| upkeep    | journal_check         | compares sums with crossings                                              |
|           | journal_pruning       | deletes old crossings that are in InfluxDB                                |
| copying   | outbox                | reads the rows to forward, in a safe order                                |
|           | forwarder_state       | remembers the forwarder's cursor, failure and quarantine                  |
|           | influx_bisect         | finds the refused points of a chunk by halving it                         |
|           | influx_writer         | writes points over HTTP                                                   |
| delivery  | ledger                | records deliveries, and each day's standing                               |
|           | ledger_reader         | reads the ledger for pages and metrics                                    |
|           | ledger_schema         | the ledger's tables, migrations and values                                |
| formats   | points                | builds the points of docs/storage.md                                      |
|           | line_protocol         | renders points as bytes                                                   |
|           | influxql              | queries over HTTP                                                         |
|           | influx_errors         | translates InfluxDB's answers into errors with hints                      |
|           | influx_settings       | reads ``[influxdb]`` of footfall.toml                                     |
|           | journal_schema        | the journal's tables and migrations                                       |
|           | sqlite                | opens and migrates SQLite files, runs transactions, translates errors     |

Law: only this folder knows SQL and InfluxQL, and its callers never see an error of sqlite3, urllib3 or influxdb_client.
"""
