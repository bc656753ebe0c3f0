"""The portable parts of the counter's application, called through firmware/host/application_shim.cpp."""

import ctypes
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.firmware import library

COMMANDS = (
    "none", "unknown", "help", "show", "set", "save", "ca line", "ca end", "ca none", "status", "beams on", "beams off",
    "portal", "restart", "forget settings", "format queue", "format queue yes", "too long",
)  # fmt: skip
ACTIONS = ("none", "join", "leave", "radio off")
KEY = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

_TYPES: dict[str, tuple[object, tuple[object, ...]]] = {
    "app_refused_pin": (ctypes.c_char_p, (ctypes.c_int,)),
    "app_settings": (ctypes.c_void_p, ()),
    "app_settings_free": (None, (ctypes.c_void_p,)),
    "app_settings_count": (ctypes.c_size_t, ()),
    "app_setting_name": (ctypes.c_char_p, (ctypes.c_size_t,)),
    "app_setting_is_secret": (ctypes.c_bool, (ctypes.c_size_t,)),
    "app_set": (ctypes.c_char_p, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p)),
    "app_get": (ctypes.c_size_t, (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)),
    "app_check": (None, (ctypes.c_void_p, ctypes.c_bool, ctypes.c_char_p, ctypes.c_size_t)),
    "app_render": (ctypes.c_size_t, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)),
    "app_parse": (ctypes.c_bool, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)),
    "app_portal": (None, (ctypes.c_void_p, ctypes.c_bool, ctypes.c_char_p, ctypes.c_size_t)),
    "app_url": (ctypes.c_bool, (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t)),
    "app_console": (ctypes.c_void_p, ()),
    "app_console_free": (None, (ctypes.c_void_p,)),
    "app_console_feed": (
        ctypes.c_int,
        (ctypes.c_void_p, ctypes.c_char, ctypes.POINTER(ctypes.c_char_p), ctypes.POINTER(ctypes.c_char_p)),
    ),
    "app_help": (ctypes.c_char_p, ()),
    "app_wifi": (ctypes.c_void_p, ()),
    "app_wifi_free": (None, (ctypes.c_void_p,)),
    "app_wifi_update": (ctypes.c_int, (ctypes.c_void_p, ctypes.c_bool, ctypes.c_uint32, ctypes.c_uint32)),
    "app_led_code": (
        ctypes.c_int,
        (ctypes.c_bool, ctypes.c_bool, ctypes.c_uint32, ctypes.c_bool, ctypes.c_bool, ctypes.c_uint32),
    ),
    "app_led_is_lit": (ctypes.c_bool, (ctypes.c_int, ctypes.c_uint32)),
    "app_source": (ctypes.c_void_p, ()),
    "app_source_free": (None, (ctypes.c_void_p,)),
    "app_source_start": (None, (ctypes.c_void_p, ctypes.c_bool, ctypes.c_bool, ctypes.c_uint32)),
    "app_source_edge": (None, (ctypes.c_void_p, ctypes.c_bool, ctypes.c_bool, ctypes.c_uint32)),
    "app_source_pump": (None, (ctypes.c_void_p, ctypes.c_bool, ctypes.c_bool, ctypes.c_uint32)),
    "app_source_take": (ctypes.c_int, (ctypes.c_void_p, ctypes.POINTER(ctypes.c_int64))),
    "app_source_now_ms": (ctypes.c_int64, (ctypes.c_void_p,)),
    "app_source_settled_ms": (ctypes.c_int64, (ctypes.c_void_p,)),
    "app_source_until_ms": (ctypes.c_int64, (ctypes.c_void_p,)),
    "app_source_since_ms": (ctypes.c_int64, (ctypes.c_void_p,)),
    "app_source_uncounted_ms": (ctypes.c_int64, (ctypes.c_void_p,)),
    "app_source_report_breaks": (None, (ctypes.c_void_p,)),
    "app_source_breaks": (ctypes.c_uint32, (ctypes.c_void_p,)),
    "app_source_lost": (ctypes.c_uint32, (ctypes.c_void_p,)),
    "app_button": (ctypes.c_void_p, ()),
    "app_button_free": (None, (ctypes.c_void_p,)),
    "app_button_update": (ctypes.c_bool, (ctypes.c_void_p, ctypes.c_bool, ctypes.c_uint32)),
}


@functools.cache
def application() -> ctypes.CDLL:
    """Return the library with the argument types of the application's functions set."""
    loaded = library()
    for name, (returned, arguments) in _TYPES.items():
        function = getattr(loaded, name)
        function.restype = returned
        function.argtypes = arguments
    return loaded


@contextmanager
def owned(name: str) -> Iterator[int]:
    """Yield a new object made by app_NAME and free it afterwards."""
    handle: int = getattr(application(), f"app_{name}")()
    try:
        yield handle
    finally:
        getattr(application(), f"app_{name}_free")(handle)


def written(write: Callable[[ctypes.Array[ctypes.c_char], int], object], capacity: int = 65536) -> str:
    """Return the text that *write* puts into a buffer."""
    buffer = ctypes.create_string_buffer(capacity)
    write(buffer, capacity)
    return buffer.value.decode()


class Settings:
    """A counter's settings, set and read as text."""

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def set(self, name: str, value: str) -> str | None:
        """Return why the value is refused, or None."""
        refused: bytes | None = application().app_set(self.handle, name.encode(), value.encode())
        return refused.decode() if refused is not None else None

    def get(self, name: str) -> str:
        """Return a setting's value as text."""
        index = names().index(name)
        return written(lambda buffer, size: application().app_get(self.handle, index, buffer, size))

    def all(self) -> dict[str, str]:
        """Return every setting by name."""
        return {name: self.get(name) for name in names()}

    def problems(self, *, ca: bool = False) -> dict[str, list[str]]:
        """Return the sentences about each setting that keeps the counter from working."""
        found: dict[str, list[str]] = {}
        lines = written(lambda buffer, size: application().app_check(self.handle, ca, buffer, size)).splitlines()
        for name, sentence in (line.split(": ", 1) for line in lines):
            found.setdefault(name, []).append(sentence)
        return found

    def render(self) -> bytes:
        """Return the settings as the file's bytes."""
        buffer = ctypes.create_string_buffer(2048)
        length: int = application().app_render(self.handle, buffer, 1024)
        return buffer.raw[:length]

    def parse(self, text: bytes) -> bool:
        """Return whether *text* was taken as a whole file."""
        taken: bool = application().app_parse(self.handle, text, len(text))
        return taken

    def page(self, *, ca: bool = False) -> str:
        """Return the set-up page."""
        return written(lambda buffer, size: application().app_portal(self.handle, ca, buffer, size))


@contextmanager
def settings(**values: str) -> Iterator[Settings]:
    """Yield settings that are complete, changed by *values*."""
    complete = {"counter": "DOOR1", "key": KEY, "url": "http://192.168.1.20:8080", "ssid": "Library"} | values
    with owned("settings") as handle:
        one = Settings(handle)
        for name, value in complete.items():
            assert one.set(name, value) is None, name
        yield one


@functools.cache
def names() -> list[str]:
    """Return the names of all settings, in their order."""
    return [application().app_setting_name(index).decode() for index in range(application().app_settings_count())]
