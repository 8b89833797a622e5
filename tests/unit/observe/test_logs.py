"""What is said on standard error: lines, and of what many meet at once not a line for each."""

import io

import pytest
from twisted.logger import ILogObserver, Logger

from koproxy.observe.logs import QUIET_SECONDS, observer


class Log:
    """A log whose time is the test's."""

    def __init__(self, verbosity: int = 0) -> None:
        self._out = io.StringIO()
        self._observer: ILogObserver = observer(self._out, verbosity)
        self.now = 0.0
        self.own = Logger("koproxy.proxy", observer=self._take)
        self.library = Logger("library", observer=self._take)

    def _take(self, event: dict[str, object]) -> None:
        self._observer({**event, "log_time": self.now})

    def lines(self) -> list[str]:
        return [line.partition(" ")[2] for line in self._out.getvalue().splitlines()]


@pytest.fixture
def log() -> Log:
    return Log()


def test_a_line_has_its_level(log: Log) -> None:
    log.own.info("on port {port}", port=1)
    log.own.debug("not said")
    log.library.info("not said")
    log.library.warn("odd")
    assert log.lines() == ["info koproxy: on port 1", "warn koproxy: odd"]
    loud = Log(4)
    loud.own.debug("said")
    assert loud.lines() == ["debug koproxy: said"]


def test_the_same_warning_is_said_once_in_a_while(log: Log) -> None:
    for _ in range(500):
        log.own.warn("no connection: {why}", why="refused")
    log.own.warn("no connection: {why}", why="{braces}")
    log.now = QUIET_SECONDS
    for _ in range(3):
        log.own.warn("no connection: {why}", why="refused")
    log.now = 3 * QUIET_SECONDS
    log.own.warn("no connection: {why}", why="refused")
    assert log.lines() == [
        "warn koproxy: no connection: refused",
        "warn koproxy: no connection: {braces}",
        "warn koproxy: no connection: refused (499 times more since this was last said)",
        "warn koproxy: no connection: refused (2 times more since this was last said)",
    ]


def test_all_else_is_said_each_time(log: Log) -> None:
    for _ in range(3):
        log.own.info("a")
        log.own.error("b")
        try:
            raise ValueError("c")
        except ValueError:
            log.own.failure("d")
    assert sum(line.startswith("info") for line in log.lines()) == 3
    assert sum(line.startswith("error") for line in log.lines()) == 3
    assert sum(line.startswith("critical") for line in log.lines()) == 3


def test_what_is_kept_to_compare_is_bounded(log: Log) -> None:
    for number in range(1000):
        log.own.warn("{number}", number=number)
    log.own.warn("0")
    assert log.lines().count("warn koproxy: 0") == 2
