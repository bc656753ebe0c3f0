"""The counter's queue, clock and sender through ctypes (firmware/host/queue_shim.cpp), with flash in memory."""

import ctypes
import functools
import json
from ctypes import POINTER, c_bool, c_char_p, c_int, c_int64, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p
from enum import IntEnum
from typing import Any, NamedTuple

from tests.support.firmware import library

SIGNATURES: dict[str, tuple[Any, ...]] = {
    "queue_new": (c_void_p, c_uint32, c_uint32, c_uint64),
    "queue_free": (None, c_void_p),
    "queue_boot": (c_int, c_void_p, c_int64),
    "queue_open": (c_int, c_void_p, c_int64),
    "queue_fail_after": (None, c_void_p, c_int64),
    "queue_has_power": (c_bool, c_void_p),
    "queue_misused": (c_bool, c_void_p),
    "queue_programmed": (c_uint64, c_void_p),
    "queue_erased": (c_uint64, c_void_p),
    "queue_flash": (POINTER(c_uint8), c_void_p),
    "queue_flash_size": (c_size_t, c_void_p),
    "queue_append": (c_bool, c_void_p, c_int, c_int64),
    "queue_alive": (None, c_void_p, c_int64),
    "queue_offset": (None, c_void_p, c_int64, c_bool),
    "queue_pause": (None, c_void_p, c_int64),
    "queue_resume": (None, c_void_p, c_int64),
    "queue_format": (c_bool, c_void_p, c_int64),
    "queue_waiting": (c_uint32, c_void_p),
    "queue_dropped": (c_uint32, c_void_p),
    "queue_next_seq": (c_uint32, c_void_p),
    "queue_next_batch": (c_char_p, c_void_p, c_int64, c_uint32),
    "queue_is_live": (c_bool, c_void_p),
    "queue_freeze": (None, c_void_p),
    "queue_acknowledge": (c_bool, c_void_p, c_uint32),
    "queue_drop": (None, c_void_p),
    "sender_new": (c_bool, c_void_p, c_char_p, c_char_p, c_int64, c_int64, c_uint32),
    "sender_due_ms": (c_int64, c_void_p),
    "sender_notice": (None, c_void_p, c_int64),
    "sender_prepare": (c_bool, c_void_p, c_int64, c_int64),
    "sender_body": (c_char_p, c_void_p),
    "sender_id": (c_char_p, c_void_p),
    "sender_timestamp": (c_char_p, c_void_p),
    "sender_signature": (c_char_p, c_void_p),
    "sender_take": (c_int, c_void_p, c_int, c_char_p, c_char_p, c_char_p, c_int64),
    "sender_is_finished": (c_bool, c_void_p, c_int64),
    "clock_set_from_network": (c_int, c_void_p, c_int64, c_int64),
    "clock_set_from_server": (c_int, c_void_p, c_int64, c_int64),
    "clock_utc_ms": (c_int64, c_void_p, c_int64),
    "batch_longest": (c_size_t, c_char_p, c_size_t),
    "batch_buffer": (c_size_t,),
    "receipt_through": (c_int64, c_char_p, c_size_t),
    "hmac_sha256": (None, c_char_p, c_size_t, c_char_p, c_size_t, c_char_p),
    "signature_of": (c_bool, c_char_p, c_char_p, c_char_p, c_char_p, c_char_p),
    "http_date": (c_bool, c_char_p, POINTER(c_int64)),
    "retry_after": (c_bool, c_char_p, c_int64, POINTER(c_int64)),
}


class Opening(IntEnum):
    """The state in which open() found a queue."""

    KEPT = 0
    FORMATTED = 1
    TORN = 2
    FAILED = 3


class AnswerEffect(IntEnum):
    """What an answer did (sending/sender.h)."""

    ACKNOWLEDGED = 0
    PARTLY = 1
    CLOCK_SET = 2
    UNAUTHORISED = 3
    BUSY = 4
    HALVED = 5
    DROPPED = 6
    HEARTBEAT_REFUSED = 7
    NOT_RECEIVED = 8
    REDATED = 9


@functools.cache
def core() -> ctypes.CDLL:
    """Return the core with its function types declared."""
    loaded = library()
    for name, (result, *arguments) in SIGNATURES.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


class Batch(NamedTuple):
    """A batch as ingest reads it."""

    stream: str
    span: tuple[int, int]
    crossings: list[tuple[int, int | None, int]]
    live: bool


class Core:
    """A counter without beams, on flash that can lose power. Opens its queue at once."""

    def __init__(self, sectors: int = 8, sector_bytes: int = 256, seed: int = 1) -> None:
        self.c = core()
        self.handle = self.c.queue_new(sector_bytes, sectors, seed)
        self.opening = Opening(self.c.queue_boot(self.handle, 0))

    def __del__(self) -> None:
        self.c.queue_free(self.handle)

    def __getattr__(self, name: str) -> Any:
        """Return the function ``queue_name`` of this queue."""
        return functools.partial(getattr(core(), f"queue_{name}"), self.handle)

    def flash(self) -> bytearray:
        """Return a copy of the flash."""
        return bytearray(self.flash_view())

    def flash_view(self) -> Any:
        """Return the flash itself, to damage it."""
        return ctypes.cast(self.c.queue_flash(self.handle), POINTER(c_uint8 * self.flash_size())).contents

    def batch(self, settled_ms: int, limit: int = 100) -> Batch | None:
        """Return the next batch; None if there is none."""
        body = self.next_batch(settled_ms, limit)
        if body is None:
            return None
        fields = json.loads(body)
        crossings = [(seq, time_ms, direction) for seq, time_ms, direction in fields["crossings"]]
        return Batch(fields["stream"], (fields["from"], fields["to"]), crossings, self.is_live())

    def drain(self, settled_ms: int, limit: int = 100) -> list[Batch]:
        """Acknowledge everything and return the batches; the last is live."""
        found = []
        while (batch := self.batch(settled_ms, limit)) is not None:
            self.freeze()
            assert self.acknowledge(batch.crossings[-1][0] if batch.crossings else 0)
            found.append(batch)
            if batch.live:
                break
        return found
