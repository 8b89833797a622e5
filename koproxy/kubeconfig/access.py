"""What a kubeconfig comes down to: an API server, and where the proxy's credential is read from.

These are values that can be compared: reading a file again gives an equal :class:`Access` unless
something changed. Secrets are kept out of every repr.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from koproxy.errors import ConfigurationError
from koproxy.files import read_named

_TOKEN = re.compile(rb"[!-~]+")


def bearer(token: bytes, where: str) -> bytes:
    """The ``Authorization`` header's value for a token (RFC 6750, section 2.1).

    Raises:
        ConfigurationError: it is empty, or holds what a header can't carry in one piece.
    """
    if not token:
        raise ConfigurationError(f"{where} is empty: put the token there")
    if not _TOKEN.fullmatch(token):
        raise ConfigurationError(
            f"{where} holds a blank, a line end or a character outside ASCII within the token: "
            "put the token there alone"
        )
    return b"Bearer " + token


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes that were written inline, or that stand in a file which may rotate.

    ``where`` names the flag or field for people.
    """

    where: str
    data: bytes | None = field(default=None, repr=False)
    path: Path | None = None

    def read(self) -> bytes:
        """The bytes as they are now.

        Raises:
            ConfigurationError: the file can't be read.
        """
        if self.data is not None:
            return self.data
        assert self.path is not None  # noqa: S101
        return read_named(str(self), self.path)

    def __str__(self) -> str:
        if self.path is None or self.where.endswith(f" {self.path}"):
            return self.where
        return f"{self.where}: {self.path}"


@dataclass(frozen=True, slots=True)
class Server:
    """A server's address.

    ``host`` is a name or an IP address without brackets; ``path_prefix`` is ``b""`` or starts with
    a slash and ends without one; ``tls_name`` is the name that its certificate must have. Without
    ``secure`` it is spoken to over plain TCP.
    """

    url: str
    host: str
    port: int
    path_prefix: bytes
    tls_name: str
    verify: bool = True
    secure: bool = True

    @property
    def authority(self) -> str:
        """HOST:PORT as a URL and a ``Host`` field have it (RFC 3986, section 3.2)."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ExecPlugin:
    """A program that prints the credential ("client-go credential plugins" in Kubernetes' docs).

    ``cluster_info`` is what the plugin is told about the cluster when it asks for it, without the
    certificate authority, which is read when it is run.
    """

    where: str
    command: str
    args: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = field(repr=False)
    api_version: str
    install_hint: str
    cluster_info: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Access:
    """An API server and the credential that the proxy has for it.

    Exactly one way to log in is set, or none where none is needed; but ``certificate`` and ``key``
    may stand beside any of them. A ``token_file`` that can be read takes precedence over ``token``,
    as in client-go.
    """

    server: Server
    authority: Source | None = None
    certificate: Source | None = None
    key: Source | None = None
    token: Source | None = None
    token_file: Source | None = None
    basic: bytes | None = field(default=None, repr=False)
    plugin: ExecPlugin | None = None
