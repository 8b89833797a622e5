"""Flags of the Go proxies that koproxy hasn't, so that a deployment switches by its image.

Those that change nothing here are taken, and said to be needless; those that would be missed are
refused with what to do instead. docs/switching.md lists them all.
"""

from collections.abc import Callable
from typing import Any

import click

_ONE_BY_ONE = "what there is, is passed on at once"
_HTTP_1 = "HTTP/1.1 alone is served"
_OWN_PORTS = "no port is shared, but by --workers"
_METADATA = "events have no bodies, and so nothing to cut off"
_AS_THEY_COME = "batches are not throttled; at most 8 are on their way to a webhook at a time"
_TEN_SECONDS = "good answers are kept for 10 s, others for 2 s, and one is waited for 10 s"

NEEDLESS = {
    "flush-interval": _ONE_BY_ONE,
    "disable-http2-serving": _HTTP_1,
    "http2-max-streams-per-connection": _HTTP_1,
    "permit-port-sharing": _OWN_PORTS,
    "permit-address-sharing": _OWN_PORTS,
    **{f"audit-{to}-truncate-enabled": _METADATA for to in ("log", "webhook")},
    **{f"audit-{to}-truncate-max-batch-size": _METADATA for to in ("log", "webhook")},
    **{f"audit-{to}-truncate-max-event-size": _METADATA for to in ("log", "webhook")},
    **{f"audit-{to}-batch-throttle-enable": _AS_THEY_COME for to in ("log", "webhook")},
    **{f"audit-{to}-batch-throttle-qps": _AS_THEY_COME for to in ("log", "webhook")},
    **{f"audit-{to}-batch-throttle-burst": _AS_THEY_COME for to in ("log", "webhook")},
    "token-passthrough-request-timeout": _TEN_SECONDS,
    "token-passthrough-cache-success-ttl": _TEN_SECONDS,
    "token-passthrough-cache-failure-ttl": _TEN_SECONDS,
    "subject-access-review-cache-allow-ttl": _TEN_SECONDS,
    "subject-access-review-cache-deny-ttl": _TEN_SECONDS,
    "max-impersonation-header-values": "a request may have 64 of them",
    "metrics-bind-address": "/metrics is on --readiness-probe-port",
    "logging-format": "the log is lines of text",
    "vmodule": "-v is for all modules",
    "log-flush-frequency": "a line is written at once",
    "namespace": "calls are passed on with the namespace that they have",
    "request-timeout": "how long an answer takes is the API server's to say",
    "disable-compression": "answers are passed on as they come",
}
"""What is taken, and why it changes nothing."""

_KUBECONFIG = "write it into a kubeconfig, and name that by --kubeconfig"
_RENAMED = "write --audit-webhook-initial-backoff"
_GROUPS = "name the groups in --allow-reserved-groups; reserved usernames never pass"
_SUITES = "OpenSSL's curves are offered, and there is no choice among them: leave it out"
_AUDIENCES = "write an AuthenticationConfiguration with several audiences (--authentication-config)"

REFUSED = {
    **dict.fromkeys(
        (
            *("server", "token", "certificate-authority", "insecure-skip-tls-verify"),
            *("tls-server-name", "client-certificate", "client-key", "cluster", "user"),
            *("as-uid", "as-user-extra"),
        ),
        _KUBECONFIG,
    ),
    "api-audiences": _AUDIENCES,
    "allow-reserved-identity-claims": _GROUPS,
    "audit-webhook-batch-initial-backoff": _RENAMED,
    "tls-curve-preferences": _SUITES,
}
"""What is refused, and what to do instead."""


def elsewhere(command: Callable[..., Any]) -> Callable[..., Any]:
    """Have ``command`` know these flags; its help doesn't."""
    for name in (*NEEDLESS, *REFUSED):
        command = click.option(
            f"--{name}",
            multiple=True,
            is_flag=False,
            flag_value="",
            expose_value=False,
            hidden=True,
            callback=_given,
        )(command)
    return command


def _given(_context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> None:
    if not values:
        return
    name = option.opts[0].removeprefix("--")
    if name in REFUSED:
        raise click.UsageError(f"--{name} is no flag of koproxy's: {REFUSED[name]}.")
    click.echo(f"--{name} changes nothing here: {NEEDLESS[name]}", err=True)
