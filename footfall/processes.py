"""Processes that belong together: each ends with its parent, and a companion that dies is restarted."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

log = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1  # prctl(2), Linux
_RESTART_AFTER_S = 5.0
_END_WITHIN_S = 10.0


def die_with(parent: int) -> None:
    """End this process when its *parent* (a pid) ends, however it ends: an orphan would hold ports and files."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def keep_running(command: str, config: Path, stopping: threading.Event) -> None:
    """Run ``footfall COMMAND`` in a process, restart it shortly after it ends, and end it once *stopping* is set."""
    words = [sys.executable, "-m", "cli", "--config", str(config), command, "--with", str(os.getpid())]
    first = _start(words)

    def run() -> None:
        process = first
        while True:
            with process:
                while process.poll() is None and not stopping.wait(0.5):
                    pass
                _end(process)
            if stopping.wait(_RESTART_AFTER_S):
                return
            log.error("%s ended with status %s; restarting it", command, process.returncode)
            process = _start(words)

    threading.Thread(target=run, name=f"{command}-watch").start()


def _start(words: list[str]) -> "subprocess.Popen[bytes]":
    """Start *words* by posix_spawn, which subprocess uses when it need not close files.

    With fork, subprocess waits on a pipe until the child runs the new program. If the server forks its worker in that
    moment, the worker inherits the pipe and the wait never ends. Python's own files are closed anyway (PEP 446).
    """
    return subprocess.Popen(words, close_fds=False)  # noqa: S603 - our own command


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Terminate *process*, and kill it if it takes too long: a day whose delivery is cut off stays owed."""
    process.terminate()
    try:
        process.wait(_END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
