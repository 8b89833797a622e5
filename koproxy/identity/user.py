"""The identity that a verified token gives, in Kubernetes' four parts."""

from dataclasses import dataclass

ANONYMOUS = "system:anonymous"
"""Kubernetes' name for nobody."""

Extra = tuple[tuple[str, tuple[str, ...]], ...]
"""Extra fields: keys, each with its values."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A user as Kubernetes' authenticators describe one.

    Follows "Authenticating" in the Kubernetes documentation: a username, a uid, groups, and extra
    fields of several values each. An identity is data: whether it may be carried to an API server
    is decided in :mod:`koproxy.identity.impersonation`.
    """

    username: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Extra = ()
