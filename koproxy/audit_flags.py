"""From the audit flags to who tells the backends of requests, and to what that needs.

As at kube-apiserver, backends without a policy get no events: that is said, and nothing else.
"""

from dataclasses import dataclass
from typing import Any

from twisted.internet.interfaces import IReactorThreads, IReactorTime
from twisted.logger import Logger

from koproxy.audit.backend import Backend
from koproxy.audit.backends import check_flags, make_backends
from koproxy.audit.policy import Policy, read_policy
from koproxy.audit.webhook import Webhook
from koproxy.audit.webhook_server import WebhookServer
from koproxy.auditing import Auditing
from koproxy.errors import ConfigurationError
from koproxy.files import read_named
from koproxy.reloaded import Reloaded
from koproxy.settings import Settings

log = Logger()


@dataclass(frozen=True, slots=True)
class Audit:
    """Who tells of requests, and whom; without a policy nobody is told."""

    auditing: Auditing | None
    backends: tuple[Backend, ...]
    kept: tuple[Reloaded[Any], ...]


def check_audit(settings: Settings) -> str:
    """See that the flags and files about audit can work, and say what is good about them.

    Nothing is written. Raises ConfigurationError.
    """
    file = settings.audit_policy_file
    check_flags(settings)
    if file and not (settings.audit_log_path or settings.audit_webhook_config_file):
        raise ConfigurationError(
            f"--audit-policy-file {file} is given without a place for the events: give "
            "--audit-log-path or --audit-webhook-config-file too"
        )
    if settings.audit_webhook_config_file:
        server = WebhookServer(settings.audit_webhook_config_file)
        server.take(server.read())
    if not file:
        return ""
    policy = read_policy(read_named(f"--audit-policy-file {file}", file), file)
    return f"--audit-policy-file {file}: good; rules: {len(policy.rules)}"


def make_audit(settings: Settings, clock: IReactorTime, threads: IReactorThreads) -> Audit:
    """What the flags say; raises ConfigurationError."""
    file = settings.audit_policy_file
    check_audit(settings)
    backends = make_backends(settings, clock, threads)
    webhooks = tuple([each.files for each in backends if isinstance(each, Webhook)])
    if not file:
        if backends:
            log.warn("there are no audit events without --audit-policy-file")
        return Audit(None, backends, webhooks)
    auditing = Auditing(backends)

    def read() -> Policy:
        return read_policy(read_named(f"--audit-policy-file {file}", file), file)

    policy = Reloaded(f"--audit-policy-file {file}", read, auditing.use, clock)
    return Audit(auditing, backends, (policy, *webhooks))
