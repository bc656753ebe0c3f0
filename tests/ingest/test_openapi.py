"""The OpenAPI document is valid and complete, and the app behaves as it says."""

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


class SigningApp:
    """A WSGI wrapper around the app under test that can sign the requests passing through."""

    ingest: Ingest

    def __init__(self, *, signs: bool) -> None:
        self.signs = signs

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self.signs:
            self._sign(environ)
        return SigningApp.ingest.app(environ, start_response)

    def _sign(self, environ: dict[str, Any]) -> None:
        """Replace the three signature headers, if present, with valid ones of a registered counter."""
        names = [f"HTTP_{name.upper().replace('-', '_')}" for name in signing.HEADERS]
        body = Request(environ).get_data()
        body = re.sub(rb'"counter":\s*"[A-Za-z0-9_.-]{1,64}"', b'"counter": "ALLI1"', body, count=1)
        environ["wsgi.input"] = Replayed(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        if all(name in environ for name in names):
            headers = SigningApp.ingest.signed(body)
            environ.update(zip(names, (headers[name] for name in signing.HEADERS), strict=True))


class Replayed:
    """A request body that can be read again."""

    def __init__(self, body: bytes) -> None:
        self._rest = body

    def read(self, size: int = -1) -> bytes:
        size = len(self._rest) if size < 0 else size
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def schema_for(app: SigningApp) -> Any:
    schema = schemathesis.openapi.from_dict(DOCUMENT, config=schemathesis.Config.from_dict({"seed": 1}))
    schema.app = app
    return schema


plain = schema_for(SigningApp(signs=False))
each_operation: Decorator = plain.parametrize()
each_signed_batch: Decorator = schema_for(SigningApp(signs=True)).include(path=wire.PATH).parametrize()
quietly = settings(max_examples=50, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True, scope="module")
def app_under_test(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    with ingest_in_process(tmp_path_factory.mktemp("openapi") / "footfall", more=LEGACY) as SigningApp.ingest:
        yield SigningApp.ingest
        assert SigningApp.ingest.log.unprintable() == []


def test_document_is_valid() -> None:
    plain.validate()
    assert DOCUMENT["openapi"] == "3.1.0"


def test_every_route_is_in_the_document_and_every_path_of_it_is_a_route(app_under_test: Ingest) -> None:
    routes = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app_under_test.app.url_map.iter_rules()
        if rule.rule == "/" or not rule.endpoint.startswith("pages.")  # the other pages are for people, and may move
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}


def test_served_document_is_the_document(app_under_test: Ingest) -> None:
    assert app_under_test.get("/api/openapi.json") == json.loads(json.dumps(DOCUMENT))


@each_operation
@quietly
def test_app_behaves_as_the_document_says(case: Any) -> None:
    case.call_and_validate(excluded_checks=[positive_data_acceptance])  # valid times depend on the clock


@each_signed_batch
@quietly
def test_app_handles_signed_batches_as_the_document_says(case: Any) -> None:
    case.call_and_validate(excluded_checks=[positive_data_acceptance])


def strict(schema: Any) -> Any:
    """Return *schema* with all additional properties forbidden."""
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
    """Assert that *answer* matches the schema *component* and has no other properties."""
    schema = {"$ref": f"#/components/schemas/{component}", "components": strict(DOCUMENT["components"])}
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(json.loads(answer))


def now_and_distinct(body: Any) -> Any:
    """Return a generated body with a known counter, valid times, distinct seqs and whole numbers."""
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


@quietly
@given(case=plain[wire.PATH]["POST"].as_strategy())
def test_every_batch_the_document_describes_is_accepted(case: Any) -> None:
    body = now_and_distinct(case.body)
    answer = SigningApp.ingest.post(json.dumps(body).encode())
    assert answer.status_code == 200, answer.text
    check(answer.data, "Receipt")
    receipt = json.loads(answer.data)
    assert receipt["stored"] + receipt["duplicates"] == len(body["crossings"])


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
def test_response_has_only_the_documented_properties(app_under_test: Ingest, path: str, component: str) -> None:
    app_under_test.keep((2**40, NOON_MS, 1), (2**40 + 2, None, -1), span=HEARTBEAT)
    check(app_under_test.client.get(path).data, component)
