"""People who ask all the time, so that a test sees what a change does to them meanwhile."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from e2e.running import Client, Koproxy
from localcluster.processes import wait_until

CONFIGMAPS = "/api/v1/namespaces/shop/configmaps?limit=1"


@dataclass
class Asker:
    """One person who sends the next request when the answer is there, on one connection."""

    koproxy: Koproxy
    token: str
    statuses: list[int] = field(default_factory=list)
    failure: BaseException | None = None

    def ask_until(self, stop: threading.Event) -> None:
        """Ask until `stop` is set; what goes wrong is kept in `failure`."""
        try:
            with contextlib.closing(Client(self.koproxy.url, self.koproxy.ca)) as client:
                while not stop.is_set():
                    self.statuses.append(client.get(CONFIGMAPS, self.token).status)
        except BaseException as failure:  # noqa: BLE001 (the test that looks at it shows it)
            self.failure = failure

    def wait_for(self, status: int, *, times: int = 20) -> None:
        """Wait until the last `times` answers, all of them given from now on, were `status`."""
        begin = len(self.statuses)

        def settled() -> bool:
            assert self.failure is None, self.failure
            last = self.statuses[begin:][-times:]
            return len(last) == times and set(last) == {status}

        wait_until(settled, f"{times} answers in a row are {status}")

    def changes(self) -> list[int]:
        """The statuses in their order, each run of the same one given once."""
        return [
            status
            for index, status in enumerate(self.statuses)
            if index == 0 or status != self.statuses[index - 1]
        ]


@dataclass
class Load:
    """Some askers at once."""

    stop: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def add(self, koproxy: Koproxy, token: str) -> Asker:
        """One more asker, from now on."""
        asker = Asker(koproxy, token)
        thread = threading.Thread(target=asker.ask_until, args=(self.stop,))
        self.threads.append(thread)
        thread.start()
        return asker


@contextlib.contextmanager
def load() -> Iterator[Load]:
    """Askers for the time of the block."""
    all_of_them = Load()
    try:
        yield all_of_them
    finally:
        all_of_them.stop.set()
        for thread in all_of_them.threads:
            thread.join()
