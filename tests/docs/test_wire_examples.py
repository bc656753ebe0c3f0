"""The examples of docs/wire-format.md: recomputed, sent to a running ingest, and compared with its answers."""

import base64
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import msgspec
import pytest
import urllib3

from footfall import signing, wire
from footfall.errors import InvalidBatch
from footfall.model import Span
from footfall.store.ledger import Ledger
from footfall.store.ledger_schema import FILE_NAME as LEDGER
from footfall.store.ledger_schema import RecordedProfile
from harness.installation import Installation, batch, install
from tests.docs.markdown_pages import code, page, pages

WIRE, REFERENCE = page("docs/wire-format.md"), page("docs/reference.md")
LEGACY = '[ingest.legacy]\nenabled = true\nnetworks = ["127.0.0.0/8"]\n'
MINUTE_MS = 60_000


@pytest.fixture(scope="module")
def ingest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Yield a running ingest with a crossing and a report of ALLI1, a heartbeat of DOOR1, and an exporter's look."""
    installation = install(tmp_path_factory.mktemp("docs"), ("ALLI1", "DOOR1"), more=LEGACY)
    with installation.serving():
        now_ms = int(time.time() * 1000)
        report = json.loads(body_example())["status"]
        sent = json.loads(batch((1, now_ms - 5000, 1), span=Span(now_ms - MINUTE_MS, now_ms))) | {"status": report}
        assert installation.post(json.dumps(sent).encode()).status == 200
        heartbeat = batch(counter="DOOR1", span=Span(now_ms - MINUTE_MS, now_ms))
        assert installation.post(heartbeat, counter="DOOR1").status == 200
        with closing(Ledger(installation.data / LEDGER)) as ledger:
            ledger.record_look(now_ms, [RecordedProfile("library", "alliance", "sftp.example.org")], [])
        yield installation


def body_example() -> str:
    """Return the body that the page shows."""
    (block,) = WIRE.blocks("json", "body")
    return block.text


def test_body_of_the_page_is_taken_by_the_decoder() -> None:
    """It decodes, every field of the format is in it, and nothing else is."""
    shown = json.loads(body_example())
    found = wire.parse_body(body_example().encode())
    assert found.status is not None
    assert set(shown) == {field.encode_name for field in msgspec.structs.fields(found)}
    assert set(shown["status"]) == {field.encode_name for field in msgspec.structs.fields(found.status)}
    assert found.crossings == [(1041, 1777874403120, 1), (1042, 1777874405321, -1)]


def test_worked_signature_is_right() -> None:
    """Key, id, timestamp and body of the page give its signature, and ingest's own check agrees."""
    (block,) = WIRE.blocks("text", "signature")
    shown = dict(line.split(maxsplit=1) for line in block.text.splitlines())
    key, body = signing.parse_key(shown.pop("key")), shown.pop("body").encode()
    stamp = int(shown["webhook-timestamp"])
    assert set(shown) == set(signing.HEADERS)
    assert signing.sign(key, shown["webhook-id"], stamp, body) == shown["webhook-signature"]
    signing.verify([key], shown, body, now_s=stamp, tolerance_s=300)
    assert f"The body has {len(body)} bytes" in WIRE.text
    assert key == b"0123456789abcdef" * 2
    assert wire.parse_body(body).crossings == wire.parse_body(body_example().encode()).crossings


def test_shell_example_is_taken_by_ingest(ingest: Installation) -> None:
    """The lines with curl and openssl, with this ingest's key and address, store two crossings."""
    missing = [tool for tool in ("bash", "curl", "openssl") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: apt-get install -y {' '.join(missing)}")
    (block,) = WIRE.blocks("sh", "run")
    key = f"whsec_{base64.b64encode(ingest.keys['DOOR1']).decode()}"
    script = re.sub(r"(?m)^KEY=.*$", f"KEY={key}", re.sub(r"(?m)^URL=.*$", f"URL={ingest.url}", block.text))
    assert script.count(key) == script.count(ingest.url) == 1
    done = subprocess.run(["bash", "-euc", script], capture_output=True, timeout=30, check=True)
    assert json.loads(done.stdout) == {"stored": 2, "duplicates": 0, "through": 2}
    assert done.stdout.decode().strip() in WIRE.text


def shape(value: Any, path: str = "") -> Any:
    """Return the keys of *value* all the way down; lists by their first item, maps by counter by any of theirs."""
    if isinstance(value, dict) and path.endswith(".status"):
        return "report"
    if isinstance(value, dict) and path.endswith("[].counters"):
        return {"ID": shape(next(iter(value.values())))}
    if isinstance(value, dict):
        return {key: shape(one, f"{path}.{key}") for key, one in value.items()}
    if isinstance(value, list):
        return [shape(value[0], f"{path}[]")] if value else []
    return None


ANSWERS = [block.marker.removeprefix("answer: ") for block in WIRE.blocks("json", "answer: ")]


@pytest.mark.parametrize("request_line", ANSWERS)
def test_answer_of_the_page_has_the_keys_ingest_answers(ingest: Installation, request_line: str) -> None:
    """Field by field, in the same order; a half hour of the page that is a gap has nulls."""
    (block,) = [one for one in WIRE.blocks("json") if one.marker == f"answer: {request_line}"]
    shown = json.loads(block.text)
    method, path = request_line.split()
    if method == "GET":
        answered = ingest.get(path)
    elif path == wire.PATH:
        now_ms = int(time.time() * 1000)
        answered = ingest.post(batch((1, now_ms - 5000, 1), span=Span(now_ms - MINUTE_MS, now_ms))).json()
    else:
        (row,) = re.findall(r"^ +(2026-5-4,08:30:00,.*)$", WIRE.text, flags=re.MULTILINE)
        headers = {"Content-Type": "text/plain"}
        reply = urllib3.request("POST", f"{ingest.url}{path}", body=row.encode(), headers=headers, retries=False)
        answered = json.loads(reply.data)
    assert json.dumps(shape(shown)) == json.dumps(shape(answered))


def test_every_reading_request_has_an_example() -> None:
    """Every address that reads, and the two that accept data."""
    listed = {line.split("?")[0].replace("alliance", "{site}") for line in ANSWERS}
    paths = ("sites", "counters", "sites/{site}/occupancy", "sites/{site}/buckets", "forwarder")
    reading = {f"GET /api/v1/{path}" for path in paths}
    assert listed == reading | {f"POST {wire.PATH}", "POST /"}


def test_gap_of_the_example_is_null() -> None:
    """The page shows what a gap looks like, because readers often get it wrong."""
    (block,) = [one for one in WIRE.blocks("json") if "buckets?" in one.marker]
    gaps = [bucket for bucket in json.loads(block.text)["buckets"] if bucket["covered"] == 0]
    assert gaps
    assert all(gap["entries"] is None and gap["exits"] is None for gap in gaps)


def test_error_of_the_page_is_one_that_ingest_answers(ingest: Installation) -> None:
    """The example's code, field and words are those of a batch from the future."""
    (block,) = WIRE.blocks("json", "error")
    shown = json.loads(block.text)
    far_ms = int(time.time() * 1000) + 3_600_000
    answered = ingest.post(batch((1, far_ms, 1), span=Span(far_ms - 7_200_000, far_ms - 7_100_000))).json()
    digits = re.compile(r"\d{13}")
    assert digits.sub("NOW", json.dumps(answered)) == digits.sub("NOW", json.dumps(shown))


def test_every_metric_is_documented_and_no_other(ingest: Installation) -> None:
    """The table of metrics lists what /metrics serves, with its type."""
    text = urllib3.request("GET", f"{ingest.url}/metrics", retries=False).data.decode()
    served = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, flags=re.MULTILINE))
    served = {name: kind for name, kind in served.items() if not name.endswith("_created")}
    rows = REFERENCE.rows("Metrics", "metric", "type")
    assert {code(row[0]): row[1].split(",")[0] for row in rows} == served
    labelled = re.findall(r"^(\w+)\{([^}]*)\}", text, flags=re.MULTILINE)
    labels = {name: set(re.findall(r"(\w+)=", inside)) for name, inside in labelled}
    for row in rows:
        if "by " in row[1]:
            assert set(re.findall(r"`(\w+)`", row[1])) == labels[code(row[0])], row[0]


def test_metrics_named_anywhere_are_served() -> None:
    """An alert on a metric that does not exist never fires."""
    documented = {code(row[0]) for row in REFERENCE.rows("Metrics", "metric", "type")}
    known = "answers|crossings|commit|counter|occupancy|journal|forwarder|readable"
    named = {one.name: re.findall(rf"\bfootfall_(?:{known})\w*", one.text) for one in pages()}
    assert len(named["docs/operate.md"]) > 5, "the pattern has stopped finding them"
    for name, metrics in named.items():
        assert {re.sub(r"_(bucket|sum|count)$", "", metric) for metric in metrics} <= documented, name


def test_bounds_of_the_page_are_refused_beyond(ingest: Installation) -> None:
    """A name of 65 letters and a number past 2^53 - 1 are refused; those at the bound are accepted."""
    shown = json.loads(body_example())
    for change in ({"stream": "a" * 64}, {"crossings": [[wire.MAX_SAFE_INTEGER, None, 1]]}):
        wire.parse_body(json.dumps(shown | change).encode())
    for change in ({"stream": "a" * 65}, {"crossings": [[wire.MAX_SAFE_INTEGER + 1, None, 1]]}):
        with pytest.raises(InvalidBatch):
            wire.parse_body(json.dumps(shown | change).encode())
    too_large = b" " * (wire.MAX_BODY_BYTES + 1)
    assert ingest.post(too_large, headers={"Content-Type": "application/json"}).status == 413
