"""The real ingest app on a real journal, in this process, with a clock that the test sets."""

import json
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app

from footfall import wire
from footfall.console import PrintableFormatter
from footfall.environment import Environment
from footfall.model import Span
from footfall.settings import read_config
from footfall.store.journal import Journal
from footfall.store.journal_reader import JournalReader
from harness.installation import Installation, batch, install
from ingest.app import create_app
from ingest.context import Context
from ingest.ingest_settings import load_ingest_config
from ingest.worker import build_context
from tests.support.journals import contents

NOON_MS = 1_777_889_100_000
"""2026-05-04 12:05 in Paris: during the opening hours, in the 25th bucket of the day."""

HEARTBEAT = Span(NOON_MS - 60_000, NOON_MS)

LEGACY = '[ingest.legacy]\nenabled = true\nnetworks = ["127.0.0.0/8", "2001:db8::/32"]\n'
"""Settings that make ingest accept rows from old devices."""


class SetClock:
    """Returns seconds since 1970 UTC; a test sets ``now_ms``."""

    def __init__(self, now_ms: int = NOON_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> float:
        return self.now_ms / 1000


class PrintedLog(logging.Handler):
    """The log, line by line, as `footfall ingest` prints it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(PrintableFormatter("%(levelname)s %(name)s: %(message)s"))

    def unprintable(self) -> list[str]:
        """Return the lines a terminal could not print safely; the line ends of a traceback are allowed."""
        return [line for line in self.lines if not all(" " <= char <= "~" or char == "\n" for char in line)]

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@dataclass
class Ingest:
    """The app under test with its client, clock and log."""

    installation: Installation
    clock: SetClock
    app: Flask
    context: Context
    log: PrintedLog
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    @property
    def journal(self) -> Journal:
        """The journal it writes, for tests that break it."""
        return self.context.commit._journal

    def post(
        self, body: bytes, *, counter: str = "ALLI1", headers: Mapping[str, str] | None = None, path: str = wire.PATH
    ) -> TestResponse:
        """POST *body*, signed with the key of *counter* at the clock's time, or with *headers* if given."""
        if headers is None:
            headers = self.signed(body, counter)
        return self.client.post(path, data=body, headers=dict(headers))

    def signed(self, body: bytes, counter: str = "ALLI1", *, skew_s: int = 0) -> dict[str, str]:
        """Return the headers of *body* signed *skew_s* after the clock's time."""
        return self.installation.signed(body, counter, int(self.clock()) + skew_s)

    def keep(self, *crossings: tuple[int, int | None, int], counter: str = "ALLI1", span: Span | None = None) -> None:
        """POST a batch that must be accepted."""
        answer = self.post(batch(*crossings, counter=counter, span=span), counter=counter)
        assert answer.status_code == 200, answer.text

    def get(self, path: str) -> Any:
        """GET *path*, which must answer 200, and return the JSON."""
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.data)

    def raw(
        self, path: str = wire.PATH, *, method: str = "POST", body: bytes = b"", **environ: object
    ) -> tuple[int, bytes]:
        """Send a request with *environ* in its WSGI environment; return the status and body of the response."""
        request = EnvironBuilder(path="/", method="POST", data=body).get_environ()
        request.update(REQUEST_METHOD=method, PATH_INFO=path, **environ)
        chunks, status, _ = run_wsgi_app(self.app, request, buffered=True)
        return int(status[:3]), b"".join(chunks)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Keep the journal from growing by a page during the block, as on a full disk."""
        (pages,) = self.journal._connection.execute("PRAGMA page_count").fetchone()
        self.journal._connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
        try:
            yield
        finally:
            self.journal._connection.execute("PRAGMA max_page_count = 1073741823").fetchall()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let another connection lock the journal during the block; ingest does not wait for the lock."""
        self.journal._connection.execute("PRAGMA busy_timeout = 0")
        with closing(sqlite3.connect(self.installation.journal, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    def stored(self) -> list[tuple[object, ...]]:
        """Return every row of the journal except the probe's."""
        return contents(self.installation.journal)


@contextmanager
def ingest_in_process(folder: Path, **settings: Any) -> Iterator[Ingest]:
    """Yield the app of an installation in *folder*; *settings* are those of install()."""
    installation = install(folder, **settings)
    config_file = read_config(installation.folder / "footfall.toml")
    config = load_ingest_config(config_file, Environment({}))
    config_file.finish()
    clock, log = SetClock(), PrintedLog()
    context = build_context(config, clock)
    root = logging.getLogger()
    level = root.level
    root.addHandler(log)
    root.setLevel(logging.INFO)
    try:
        yield Ingest(installation, clock, create_app(context), context, log)
    finally:
        root.setLevel(level)
        root.removeHandler(log)
        context.commit.close()
        assert isinstance(context.reader, JournalReader)
        context.reader.close()
