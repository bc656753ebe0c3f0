"""Renders each client's file of each day and delivers it.

look      profile, standing: which days are due, and where each stands
file      render: a day's tallies to bytes; import_file: bytes back to counts
delivery  delivery_job --> destinations/ --> the ledger --> delivery_reporter --> InfluxDB
daemon    scheduler, reloading_job
commands  assembly builds the real parts for each *_command
"""
