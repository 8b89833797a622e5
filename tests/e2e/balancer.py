"""A load balancer for tests: TCP on loopback, to whichever koproxy says that it is ready."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import urllib.parse
from collections.abc import Iterator

from e2e.running import Koproxy

LOOK_SECONDS = 0.1


class Balancer:
    """Begins with the replicas that are ready; others are added while it runs.

    Each connection goes to the next replica that was ready a moment ago, and stays there.
    """

    def __init__(self, *replicas: Koproxy) -> None:
        self._replicas = list(replicas)
        self._ready = list(replicas)
        self._turns = itertools.count()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._begun = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    def add(self, replica: Koproxy) -> None:
        """Send connections to this one, too, when it is seen to be ready."""
        self._replicas.append(replica)

    def has(self, replica: Koproxy) -> bool:
        """Whether connections go there."""
        return replica in self._ready

    def start(self) -> None:
        """Listen on a free port, which is in `port` then."""
        self._thread.start()
        self._begun.wait()

    def stop(self) -> None:
        """Close all connections, and the port."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._connected, "127.0.0.1", 0)
        )
        self.port = server.sockets[0].getsockname()[1]
        looking = self._loop.create_task(self._look())
        self._begun.set()
        self._loop.run_forever()
        server.close()
        for task in (looking, *self._tasks):
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(looking, *self._tasks, return_exceptions=True))
        self._loop.close()

    async def _look(self) -> None:
        while True:
            self._ready = [each for each in list(self._replicas) if await _is_ready(each)]
            await asyncio.sleep(LOOK_SECONDS)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        ready = self._ready
        try:
            replica = ready[next(self._turns) % len(ready)]
            there = await asyncio.open_connection(*_address(replica.url))
        except (OSError, ZeroDivisionError):
            writer.close()
            return
        await asyncio.gather(_pass(reader, there[1]), _pass(there[0], writer))


async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(1 << 16):
            target.write(data)
            await target.drain()
    except OSError:
        pass
    finally:
        # A half of TLS alone is of no use to anybody.
        target.close()


def _address(url: str) -> tuple[str, int]:
    found = urllib.parse.urlsplit(url)
    assert found.hostname is not None
    assert found.port is not None
    return found.hostname, found.port


async def _is_ready(replica: Koproxy) -> bool:
    try:
        reader, writer = await asyncio.open_connection(*_address(replica.health))
    except OSError:
        return False
    with contextlib.closing(writer):
        writer.write(b"GET /ready HTTP/1.1\r\nHost: balancer\r\nConnection: close\r\n\r\n")
        try:
            return b" 200 " in await reader.readline()
        except OSError:
            return False


@contextlib.contextmanager
def balanced(*replicas: Koproxy) -> Iterator[Balancer]:
    """One for the time of a `with` block."""
    balancer = Balancer(*replicas)
    balancer.start()
    try:
        yield balancer
    finally:
        balancer.stop()
