"""The flags about audit: what goes together, and what doesn't, in a sentence."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs, formatEvent

from koproxy.audit_flags import check_audit, make_audit
from koproxy.errors import ConfigurationError
from koproxy.settings import Settings

THREADS: Any = SimpleNamespace(
    callInThread=lambda work: work(), callFromThread=lambda work, *with_what: work(*with_what)
)
POLICY = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n"
WEBHOOK = """{
    current-context: x,
    contexts: [{name: x, context: {cluster: c}}],
    clusters: [{name: c, cluster: {server: "https://events.example"}}]
}"""


@pytest.fixture
def policy(tmp_path: Path) -> str:
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY)
    return str(file)


def test_without_flags_nobody_is_told() -> None:
    assert check_audit(Settings()) == ""
    audit = make_audit(Settings(), Clock(), THREADS)
    assert (audit.auditing, audit.backends, audit.kept) == (None, (), ())


def test_a_policy_and_a_place(policy: str, tmp_path: Path) -> None:
    settings = Settings(audit_policy_file=policy, audit_log_path=str(tmp_path / "audit.log"))
    assert check_audit(settings) == f"--audit-policy-file {policy}: good; rules: 1"
    assert not (tmp_path / "audit.log").exists()
    audit = make_audit(settings, Clock(), THREADS)
    assert audit.auditing is not None
    assert len(audit.kept) == len(audit.backends) == 1


def test_a_place_without_a_policy_is_said_to_stay_empty(tmp_path: Path) -> None:
    with capturedLogs() as said:
        settings = Settings(audit_log_path=str(tmp_path / "audit.log"))
        audit = make_audit(settings, Clock(), THREADS)
    assert audit.auditing is None
    assert [formatEvent(each) for each in said] == [
        "there are no audit events without --audit-policy-file"
    ]


def test_a_policy_without_a_place(policy: str) -> None:
    with pytest.raises(ConfigurationError, match="without a place for the events"):
        check_audit(Settings(audit_policy_file=policy))


def test_files_that_are_not_there(tmp_path: Path, policy: str) -> None:
    missing = str(tmp_path / "missing")
    log = str(tmp_path / "audit.log")
    for settings in (
        Settings(audit_policy_file=missing, audit_log_path=log),
        Settings(audit_policy_file=policy, audit_webhook_config_file=missing),
    ):
        with pytest.raises(ConfigurationError, match="missing"):
            check_audit(settings)


def test_a_changed_policy_is_taken_up(policy: str, tmp_path: Path) -> None:
    settings = Settings(audit_policy_file=policy, audit_log_path=str(tmp_path / "audit.log"))
    audit = make_audit(settings, Clock(), THREADS)
    (kept,) = audit.kept
    Path(policy).write_text(POLICY.replace("rules:", "rule:"))
    with capturedLogs():
        kept.look()
    assert "rule" in (kept.problem or "")
    Path(policy).write_text(POLICY.replace("Metadata", "None"))
    with capturedLogs():
        kept.look()
    assert kept.problem is None
    assert kept.taken_up == 1


def test_where_events_are_sent_is_kept_too(policy: str, tmp_path: Path) -> None:
    webhook = tmp_path / "webhook.yaml"
    webhook.write_text(WEBHOOK)
    audit = make_audit(
        Settings(audit_policy_file=policy, audit_webhook_config_file=str(webhook)),
        MemoryReactorClock(),
        THREADS,
    )
    _, files = audit.kept
    webhook.write_text("nonsense")
    with capturedLogs():
        files.look()
    assert files.problem
