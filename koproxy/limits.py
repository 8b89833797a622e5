"""The limits of the command line, made the data plane's, with descriptors for so many sockets."""

import resource

from twisted.logger import Logger

from koproxy.errors import ConfigurationError
from koproxy.proxy.limits import Limits
from koproxy.settings import Settings

LEAST_HEADER_BYTES = 4096
# A client's connection and the API server's for its request; then files, probes, the issuer's.
_SOCKETS_A_CLIENT = 2
_OTHERS = 100

log = Logger()


def limits_of(settings: Settings) -> Limits:
    """The limits that the settings give.

    Raises:
        ConfigurationError: a figure that can't be.
    """
    limits = Limits(
        header_bytes=settings.max_header_bytes,
        header_seconds=settings.read_header_timeout.total_seconds(),
        idle_seconds=settings.idle_timeout.total_seconds(),
        connections=settings.max_connections,
        connections_per_peer=settings.max_connections_per_peer,
        requests=settings.max_requests_inflight,
        until_expiry=settings.end_streams_at_token_expiry,
    )
    for flag, value, least in (
        ("max-header-bytes", limits.header_bytes, LEAST_HEADER_BYTES),
        ("max-connections", limits.connections, 0),
        ("max-connections-per-peer", limits.connections_per_peer, 0),
        ("max-requests-inflight", limits.requests, 0),
    ):
        if value < least:
            raise ConfigurationError(f"--{flag} {value} is too small: give {least} or more")
    if not limits.header_seconds:
        raise ConfigurationError(
            "--read-header-timeout 0 would let anybody hold a connection for ever: give 1s or more"
        )
    return limits


def allow_descriptors(limits: Limits) -> None:
    """Let the process open as many files as it may, and say if that is less than it may need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    needed = limits.connections * _SOCKETS_A_CLIENT + _OTHERS
    if hard != resource.RLIM_INFINITY and hard < needed:
        log.warn(
            "this process may open {hard} files, and --max-connections {connections} may need "
            "{needed}: raise the limit (ulimit -n), or lower the number",
            hard=hard,
            connections=limits.connections,
            needed=needed,
        )
