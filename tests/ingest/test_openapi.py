"""The OpenAPI document is valid, complete and true: the app answers as it says, whatever is asked."""

import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from werkzeug.wrappers import Request

from footfall import signing, wire
from ingest import openapi
from tests.support.ingest_app import HEARTBEAT, LEGACY, NOON_MS, Ingest, ingest_in_process

Decorator = Callable[[Callable[[Any], None]], Callable[[Any], None]]
EARLIEST_MS = 1_420_070_400_000
DOCUMENT = openapi.document()


class Stage:
    """The app the document is held against; one from the first test to the last. It may sign what passes."""

    ingest: Ingest

    def __init__(self, *, signs: bool) -> None:
        self.signs = signs

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self.signs:
            self._sign(environ)
        return Stage.ingest.app(environ, start_response)

    def _sign(self, environ: dict[str, Any]) -> None:
        """Put a right signature in the place of the three headers, where they are; the counter is one we know."""
        names = [f"HTTP_{name.upper().replace('-', '_')}" for name in signing.HEADERS]
        body = Request(environ).get_data()
        body = re.sub(rb'"counter":\s*"[A-Za-z0-9_.-]{1,64}"', b'"counter": "ALLI1"', body, count=1)
        environ["wsgi.input"] = Replayed(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        if all(name in environ for name in names):
            headers = Stage.ingest.signed(body)
            environ.update(zip(names, (headers[name] for name in signing.HEADERS), strict=True))


class Replayed:
    """A request's body, to be read again."""

    def __init__(self, body: bytes) -> None:
        self._rest = body

    def read(self, size: int = -1) -> bytes:
        size = len(self._rest) if size < 0 else size
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def schema_over(app: Stage) -> Any:
    schema = schemathesis.openapi.from_dict(DOCUMENT, config=schemathesis.Config.from_dict({"seed": 1}))
    schema.app = app
    return schema


plain = schema_over(Stage(signs=False))
each_operation: Decorator = plain.parametrize()
each_signed_batch: Decorator = schema_over(Stage(signs=True)).include(path=wire.PATH).parametrize()
calm = settings(max_examples=50, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True, scope="module")
def on_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    with ingest_in_process(tmp_path_factory.mktemp("openapi") / "footfall", more=LEGACY) as Stage.ingest:
        yield Stage.ingest
        assert Stage.ingest.log.unprintable() == []


def test_document_is_valid() -> None:
    plain.validate()
    assert DOCUMENT["openapi"] == "3.1.0"


def test_every_route_is_in_the_document_and_every_path_of_it_is_a_route(on_stage: Ingest) -> None:
    routes = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in on_stage.app.url_map.iter_rules()
        if rule.rule == "/" or not rule.endpoint.startswith("pages.")  # the others are for people, and may move
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}


def test_served_document_is_the_document(on_stage: Ingest) -> None:
    assert on_stage.get("/api/openapi.json") == json.loads(json.dumps(DOCUMENT))


@each_operation
@calm
def test_app_answers_as_the_document_says(case: Any) -> None:
    case.call_and_validate(excluded_checks=[positive_data_acceptance])  # its times and numbers depend on the clock


@each_signed_batch
@calm
def test_app_answers_signed_batches_as_the_document_says(case: Any) -> None:
    case.call_and_validate(excluded_checks=[positive_data_acceptance])


def strict(schema: Any) -> Any:
    """Return *schema* with nothing allowed that it does not name."""
    found = copy.deepcopy(schema)
    pending = [found]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            if "properties" in one:
                one.setdefault("additionalProperties", False)
            pending.extend(one.values())
        elif isinstance(one, list):
            pending.extend(one)
    return found


def check(answer: bytes, component: str) -> None:
    """Fail unless *answer* is what the document's schema *component* says, and nothing else."""
    schema = {"$ref": f"#/components/schemas/{component}", "components": strict(DOCUMENT["components"])}
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(json.loads(answer))


def now_and_distinct(body: Any) -> Any:
    """Return a body the document allows, with what it cannot say made right: counter, times, seqs, no 1.0."""
    moments = sorted(EARLIEST_MS + int(body[name]) % (NOON_MS - EARLIEST_MS) for name in ("from", "to"))
    crossings = {
        int(seq): [int(seq), None if at_ms is None else EARLIEST_MS + int(at_ms) % (NOON_MS - EARLIEST_MS), int(way)]
        for seq, at_ms, way in body["crossings"]
    }
    status = body.get("status") and {
        name: int(value) if isinstance(value, float) else value for name, value in body["status"].items()
    }
    return {
        **body, "counter": "ALLI1", "from": moments[0], "to": moments[1], "crossings": [*crossings.values()],
        "status": status,
    }  # fmt: skip


@calm
@given(case=plain[wire.PATH]["POST"].as_strategy())
def test_every_batch_the_document_describes_is_taken(case: Any) -> None:
    body = now_and_distinct(case.body)
    answer = Stage.ingest.post(json.dumps(body).encode())
    assert answer.status_code == 200, answer.text
    check(answer.data, "Receipt")
    told = json.loads(answer.data)
    assert told["stored"] + told["duplicates"] == len(body["crossings"])


@pytest.mark.parametrize(
    ("path", "component"),
    [
        ("/api/v1/sites", "Sites"),
        ("/api/v1/sites/alliance/occupancy", "Occupancy"),
        ("/api/v1/sites/alliance/buckets", "Buckets"),
        ("/api/v1/sites/alliance/buckets?day=2026-10-25", "Buckets"),
        ("/api/v1/counters", "Counters"),
        ("/healthz", "State"),
        ("/readyz", "State"),
        ("/api/v1/nothing", "Error"),
    ],
)
def test_answer_holds_what_the_document_names_and_nothing_else(on_stage: Ingest, path: str, component: str) -> None:
    on_stage.keep((2**40, NOON_MS, 1), (2**40 + 2, None, -1), span=HEARTBEAT)
    check(on_stage.client.get(path).data, component)
