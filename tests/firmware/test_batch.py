"""Bodies, receipts, signatures and dates: the bytes on the wire (docs/wire-format.md)."""

import ctypes
import hashlib
import hmac
import json
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall.signing import signed_headers
from footfall.wire import parse_body
from tests.support.counter_core import Core, core

UTC = 1_777_874_400_000
KEY = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def test_body_is_what_ingest_reads() -> None:
    queue = Core()
    queue.offset(UTC, True)
    queue.append(1, 1000)
    queue.append(-1, 2000)
    body = parse_body(queue.next_batch(3000, 100))
    assert (body.counter, body.from_, body.to) == ("DOOR1", UTC, UTC + 3000)
    assert body.crossings == [(1, UTC + 1000, 1), (2, UTC + 2000, -1)]
    assert len(body.stream) == 16
    assert body.status is not None


def test_longest_body_fits_its_buffer() -> None:
    size = core().batch_buffer()
    buffer = ctypes.create_string_buffer(size)
    used = core().batch_longest(buffer, size)
    assert 0 < used < size
    assert len(json.loads(buffer.value)["crossings"]) == 50


def test_body_that_does_not_fit_is_not_sent() -> None:
    buffer = ctypes.create_string_buffer(1000)
    assert core().batch_longest(buffer, 1000) == 0


@pytest.mark.parametrize(
    ("body", "through"),
    [
        ('{"stored": 2, "duplicates": 0, "through": 1042}', 1042),
        ('{"through":0}', 0),
        ('{"through" : 7 ,"stored":1}', 7),
        ('{"through": -1}', 0),
        ('2f\r\n{"stored": 1, "duplicates": 0, "through": 12}\r\n0\r\n\r\n', 12),  # a proxy's chunks, unasked for
        ('{"stored": 1, "duplicates": 0, "thro', -1),
        ('{"through": 99999999999999999999}', 2**32 - 1),
        ('{"through": 10', -1),  # cut off: it may have been 104
        ('{"through": 1.5}', -1),
        ('{"through": "7"}', -1),
        ('{"through": null}', -1),
        ("<html>through</html>", -1),
        ("", -1),
    ],
)
def test_receipt_is_parsed_or_refused(body: str, through: int) -> None:
    assert core().receipt_through(body.encode(), len(body)) == through


def mac(key: bytes, content: bytes) -> bytes:
    into = ctypes.create_string_buffer(32)
    core().hmac_sha256(key, len(key), content, len(content), into)
    return into.raw


@pytest.mark.parametrize(
    ("key", "content", "digest"),
    [  # RFC 4231, section 4: test cases 1, 2, 3, 6
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ],
)
def test_hmac_agrees_with_rfc_4231(key: bytes, content: bytes, digest: str) -> None:
    assert mac(key, content).hex() == digest


@given(key=st.binary(min_size=1, max_size=100), content=st.binary(max_size=300))
def test_hmac_agrees_with_the_standard_library(key: bytes, content: bytes) -> None:
    assert mac(key, content) == hmac.new(key, content, hashlib.sha256).digest()


def test_signature_agrees_with_the_one_ingest_checks() -> None:
    into = ctypes.create_string_buffer(48)
    body = b'{"counter":"ALLI1"}'
    assert core().signature_of(KEY.encode(), b"msg_1", b"1777874461", body, into)
    headers = signed_headers(b"0123456789abcdef" * 2, "msg_1", 1777874461, body)
    assert into.value.decode() == headers["webhook-signature"]


@pytest.mark.parametrize("key", ["", "whsec_", "MDEy", "whsec_MDEyMzQ1", "whsec_!!!!", KEY + "x", KEY + "="])
def test_invalid_key_is_refused(key: str) -> None:
    assert not core().signature_of(key.encode(), b"i", b"1", b"", ctypes.create_string_buffer(48))


@given(st.integers(0, 4_102_444_799))
def test_http_date_is_parsed(utc_s: int) -> None:
    into = ctypes.c_int64()
    assert core().http_date(formatdate(utc_s, usegmt=True).encode(), into)
    assert into.value == utc_s


@pytest.mark.parametrize(
    "text",
    ["", "Sun", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
     "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT+1", "1994-11-06T08:49:37Z"],
)  # fmt: skip
def test_invalid_date_is_refused(text: str) -> None:
    assert not core().http_date(text.encode(), ctypes.c_int64())


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [("0", 0), ("120", 120), ("999999999999999999999", 3600), ("Sun, 06 Nov 1994 08:49:37 GMT", 37), ("soon", None),
     ("-1", None)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date_and_an_hour_at_most(text: str, wait_s: int | None) -> None:
    into = ctypes.c_int64()
    known = core().retry_after(text.encode(), 784111740, into)
    assert (into.value if known else None) == wait_s
