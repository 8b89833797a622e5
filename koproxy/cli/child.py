"""koproxy as a child process, for a command that tries it: started, asked if it is ready, ended.

It knows the flags of ``koproxy serve`` no more than the caller does.
"""

import http.client
import re
import subprocess
import sys
import threading
import time
from collections import deque
from typing import Self

_LISTENING = re.compile(r"koproxy: (serving https|health) on (\S+)")
_START = 30.0  # seconds that it has to listen, and again to be ready
_STOP = 10.0  # seconds that it has to end
_AGAIN = 0.05  # seconds between two questions whether it is ready


class ChildError(Exception):
    """koproxy did not start, or did not get ready; the message has what it said last."""


class Child:
    """``koproxy serve FLAGS``, for as long as the ``with`` block; it listens when that begins.

    Its log is read and forgotten but for the last lines.
    """

    def __init__(self, flags: list[str]) -> None:
        self._command = [sys.executable, "-m", "koproxy", "serve", *flags]
        self._lines: deque[str] = deque(maxlen=10)
        self._addresses: dict[str, str] = {}
        self._listens = threading.Event()

    def __enter__(self) -> Self:
        # In a session of its own: Ctrl-C ends this process, and this process ends the child.
        self._process = subprocess.Popen(  # noqa: S603 - the program is koproxy
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            if not self._listens.wait(_START) or len(self._addresses) < 2:
                raise self._failed("koproxy did not start")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    @property
    def url(self) -> str:
        """Where it serves, as ``https://HOST:PORT``."""
        return f"https://{self._addresses['serving https']}"

    def wait(self) -> int:
        """Wait until it ends by itself; gives its exit status."""
        return self._process.wait()

    def wait_until_ready(self) -> None:
        """Wait until ``/readyz`` says yes; raises :class:`ChildError` if it doesn't."""
        deadline = time.monotonic() + _START
        while not self._ready():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise self._failed("koproxy did not get ready")
            time.sleep(_AGAIN)

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection(self._addresses["health"], timeout=_START)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()

    def _read(self) -> None:
        stderr = self._process.stderr
        if stderr is None:
            return
        with stderr:
            for line in stderr:
                self._lines.append(line)
                listening = _LISTENING.search(line)
                if listening is not None:
                    self._addresses[listening[1]] = listening[2]
                if len(self._addresses) == 2:
                    self._listens.set()
        self._listens.set()  # it has ended: nobody need wait any longer

    def _failed(self, what: str) -> ChildError:
        return ChildError(f"{what}; its last words:\n{''.join(self._lines)}".rstrip())
