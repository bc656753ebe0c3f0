"""A network between counters and ingest that a test can cut: a TCP proxy on the loopback."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CHUNK_BYTES = 65536


class Proxy:
    """Forwards its own port to *port*. While cut, it refuses new connections, and existing ones are dead.

    ``lost_answers`` counts the responses that ingest sent and a cut swallowed.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._cut = False
        self._wanted = threading.Event()
        self._lost = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.lost_answers = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The address for counters."""
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Cut the network in the middle of all traffic."""
        with self._lock:
            self._cut = True
            for connection in self._open:
                _kill(connection)
            self._open.clear()

    def cut_the_next_answer(self, timeout_s: float) -> None:
        """Cut the network just before the next response arrives, or after *timeout_s* anyway."""
        self._lost.clear()
        self._wanted.set()
        self._lost.wait(timeout_s)
        self._wanted.clear()
        self.cut()

    def mend(self) -> None:
        """Restore the network."""
        with self._lock:
            self._cut = False

    def close(self) -> None:
        """Cut the network for good."""
        self.cut()
        _kill(self._listener)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                incoming, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._cut:
                    incoming.close()
                    continue
            try:
                outgoing = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                incoming.close()
                continue
            outgoing.settimeout(None)
            with self._lock:
                self._open |= {incoming, outgoing}
            for source, sink, answers in ((incoming, outgoing, False), (outgoing, incoming, True)):
                threading.Thread(target=self._carry, args=(source, sink, answers), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK_BYTES):
                if answers and self._wanted.is_set():
                    self._wanted.clear()
                    self.cut()
                    self.lost_answers += 1
                    self._lost.set()
                    break
                sink.sendall(data)
        with self._lock:
            self._open -= {source, sink}
        for connection in (source, sink):
            _kill(connection)
            connection.close()


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """Run a proxy to *port* of the loopback until the block ends."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()


def _kill(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
