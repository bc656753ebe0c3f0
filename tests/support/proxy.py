"""A network between counters and ingest that can be cut: a TCP proxy on the loopback."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CHUNK_BYTES = 65536


class Proxy:
    """Carries bytes from its own port to *port*. While it is cut, connections are refused and those that were are dead.

    *lost_answers*: how often it was cut between a request that ingest had taken and the answer to it.
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
        """Where counters are to send."""
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Take the network away, in the middle of whatever is on its way."""
        with self._lock:
            self._cut = True
            for connection in self._open:
                _kill(connection)
            self._open.clear()

    def cut_the_next_answer(self, timeout_s: float) -> None:
        """Wait until ingest answers, and cut the network before that arrives; after *timeout_s* cut anyway."""
        self._lost.clear()
        self._wanted.set()
        self._lost.wait(timeout_s)
        self._wanted.clear()
        self.cut()

    def mend(self) -> None:
        """Give it back."""
        with self._lock:
            self._cut = False

    def close(self) -> None:
        """Cut it for good."""
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
