"""Which backends the flags ask for, and what of them can't be."""

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.testing import MemoryReactorClock

from koproxy.audit.backend import Backend
from koproxy.audit.backends import make_backends
from koproxy.audit.log import BatchedLog, BlockingLog
from koproxy.audit.webhook import Webhook
from koproxy.errors import ConfigurationError
from koproxy.settings import Settings

WEBHOOK = """
current-context: x
contexts: [{name: x, context: {cluster: c, user: ""}}]
clusters: [{name: c, cluster: {server: "https://events.example"}}]
"""


class Reactor(MemoryReactorClock):
    """Has threads that do what they are given at once, when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Any] = []

    def getThreadPool(self) -> "Reactor":
        return self

    def callInThreadWithCallback(self, done: Any, work: Any) -> None:
        done(True, work())

    def callFromThread(self, work: Any, *arguments: Any) -> None:
        self.given.append((work, arguments))

    def callInThread(self, work: Any, *arguments: Any) -> None:
        work(*arguments)

    def work(self) -> None:
        given, self.given = self.given, []
        for work, arguments in given:
            work(*arguments)


def made(reactor: Reactor | None = None, **settings: Any) -> tuple[Backend, ...]:
    reactor = reactor or Reactor()
    return make_backends(Settings(**settings), reactor, reactor)  # type: ignore[arg-type]


def test_without_flags_there_are_none() -> None:
    assert made() == ()


def test_blocking_is_the_logs_default(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "audit.log"
    (log,) = made(audit_log_path=str(path))
    assert isinstance(log, BlockingLog)
    assert log.write({"kind": "Event"})
    assert path.read_text() == '{"kind":"Event"}\n'
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_only_the_strict_one_says_that_a_request_may_not_go_on(tmp_path: Path) -> None:
    for mode, answer in (("blocking", True), ("blocking-strict", False), ("batch", True)):
        folder = tmp_path / mode
        (log,) = made(audit_log_path=str(folder / "audit.log"), audit_log_mode=mode)
        folder.rename(tmp_path / f"{mode}-gone")
        assert log.write({"kind": "Event"}) is answer
        assert isinstance(log, BatchedLog) is (mode == "batch")


def test_both_may_be_there(tmp_path: Path) -> None:
    (tmp_path / "webhook").write_text(WEBHOOK)
    log, webhook = made(
        audit_log_path=str(tmp_path / "log"), audit_webhook_config_file=str(tmp_path / "webhook")
    )
    assert isinstance(log, BlockingLog)
    assert isinstance(webhook, Webhook)


def test_a_full_file_is_put_aside_and_the_others_tidied(tmp_path: Path) -> None:
    reactor = Reactor()
    path = tmp_path / "audit.log"
    old = tmp_path / "audit-2001-01-01T00-00-00.000.log"
    old.touch()
    path.write_bytes(b"x" * (1024 * 1024 - 2) + b"\n")
    (log,) = made(
        reactor,
        audit_log_path=str(path),
        audit_log_maxsize=1,
        audit_log_maxbackup=1,
        audit_log_maxage=0,
    )
    reactor.work()
    assert old.exists()
    log.write({"kind": "Event"})
    reactor.work()
    (aside,) = tmp_path.glob("audit-*.log")
    assert aside != old
    assert path.read_text() == '{"kind":"Event"}\n'


def test_in_batch_mode_a_thread_writes(tmp_path: Path) -> None:
    reactor = Reactor()
    path = tmp_path / "audit.log"
    (log,) = made(reactor, audit_log_path=str(path), audit_log_mode="batch")
    assert log.write({"kind": "Event"})
    reactor.work()
    assert path.read_text() == '{"kind":"Event"}\n'
    assert (log.written, log.waiting) == (1, 0)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"audit_log_format": "legacy"}, "--audit-log-format is 'legacy', and koproxy writes"),
        ({"audit_log_version": "audit.k8s.io/v1beta1"}, "--audit-log-version is 'audit.k8s.io/v1b"),
        ({"audit_log_mode": "Batch"}, "--audit-log-mode is 'Batch': give one of blocking, "),
        ({"audit_log_maxsize": -1}, "--audit-log-maxsize is -1: give a number from 1 on, or 0"),
        ({"audit_log_maxbackup": -1}, "--audit-log-maxbackup is -1"),
        ({"audit_log_maxage": -1}, "--audit-log-maxage is -1"),
        (
            {"audit_log_mode": "batch", "audit_log_batch_buffer_size": 0},
            "--audit-log-batch-buffer-size is 0: give a number from 1 on",
        ),
        (
            {"audit_log_mode": "batch", "audit_log_batch_max_size": 0},
            "--audit-log-batch-max-size is 0",
        ),
        ({"audit_log_path": "/proc/none/audit.log"}, "--audit-log-path /proc/none/audit.log can't"),
        ({"audit_log_path": "/"}, "--audit-log-path / can't be written (Is a directory): give"),
        (
            {"audit_webhook_mode": "blocking"},
            "--audit-webhook-mode is 'blocking', and koproxy lets no request wait",
        ),
        ({"audit_webhook_mode": "blocking-strict"}, "--audit-webhook-mode is 'blocking-strict',"),
        ({"audit_webhook_mode": "x"}, "--audit-webhook-mode is 'x': leave it out"),
        ({"audit_webhook_version": "v1"}, "--audit-webhook-version is 'v1': leave it out"),
        ({"audit_webhook_batch_max_size": 0}, "--audit-webhook-batch-max-size is 0"),
        ({"audit_webhook_batch_buffer_size": -1}, "--audit-webhook-batch-buffer-size is -1"),
        ({"audit_webhook_config_file": "/none"}, "--audit-webhook-config-file /none can't be read"),
    ],
)
def test_what_can_not_be_is_one_sentence(
    tmp_path: Path, settings: dict[str, Any], sentence: str
) -> None:
    (tmp_path / "webhook").write_text(WEBHOOK)
    given = {
        "audit_log_path": str(tmp_path / "log"),
        "audit_webhook_config_file": str(tmp_path / "webhook"),
    }
    with pytest.raises(ConfigurationError) as caught:
        made(**given | settings)
    assert str(caught.value).startswith(sentence)
