"""A certificate that clients are shown and its key, in files that a flag names."""

from datetime import UTC, datetime
from pathlib import Path

from twisted.logger import Logger

from koproxy.errors import ConfigurationError
from koproxy.files import read_named
from koproxy.serving.contexts import Contexts, Pair
from koproxy.serving.names import FLAG, NamedPair
from koproxy.serving.self_signed import self_signed_pair

log = Logger()


class ShownPair:
    """Two files, for :class:`koproxy.reloaded.Reloaded`: read, and shown to clients."""

    def __init__(
        self, contexts: Contexts, place: int, files: tuple[Path, Path], flags: tuple[str, str]
    ) -> None:
        """Take who shows them, in which place, and the flags that name the two.

        ``expires`` is when the certificate that is shown ends, in seconds since the epoch; 0 is
        before there is one.
        """
        self._contexts = contexts
        self._place = place
        self._files = files
        self.expires = 0.0
        self._where, self._key_where = (
            f"{flag} {file}" for flag, file in zip(flags, files, strict=True)
        )

    @property
    def name(self) -> str:
        """Say which flags are given with which files."""
        return f"{self._where}, {self._key_where}"

    def read(self) -> Pair:
        """Read the two files; raises ConfigurationError."""
        certificate, key = self._files
        return read_named(self._where, certificate), read_named(self._key_where, key)

    def look(self) -> str:
        """Read and take up the files, once; raises ConfigurationError."""
        return self.take(self.read())

    def take(self, pair: Pair) -> str:
        """Show this pair from the next connection on; gives a clause for the log.

        Raises:
            ConfigurationError: it is not PEM, or does not fit together; nothing has changed then.
        """
        leaf = self._contexts.show(self._place, pair, self._where, self._key_where)
        end = leaf.not_valid_after_utc
        self.expires = end.timestamp()
        if end < datetime.now(UTC):
            log.warn(
                "The certificate in {where} ended at {end}: clients will refuse it; renew it",
                where=self._where,
                end=end.isoformat(),
            )
        return f"new connections are shown a certificate that ends at {end.isoformat()}"


def default_pair(
    contexts: Contexts, cert_file: str, key_file: str, cert_dir: str, bind_address: str
) -> ShownPair:
    """The pair for clients that ask for no other one, from the flags.

    Without ``cert_file`` and ``key_file`` it is the one in ``cert_dir``, made first where there is
    none, for this machine's name, localhost and ``bind_address``.

    Raises:
        ConfigurationError: a flag, or the folder, that can't work.
    """
    if bool(cert_file) != bool(key_file):
        given, missing = "--tls-cert-file", "--tls-private-key-file"
        if key_file:
            given, missing = missing, given
        raise ConfigurationError(f"{given} is given without {missing}: give both, or neither")
    if cert_file:
        flags = "--tls-cert-file", "--tls-private-key-file"
        return ShownPair(contexts, 0, (Path(cert_file), Path(key_file)), flags)
    if not cert_dir:
        raise ConfigurationError(
            "--cert-dir is empty and --tls-cert-file is not given: give a folder for a "
            "self-signed certificate, or --tls-cert-file and --tls-private-key-file"
        )
    files = self_signed_pair(Path(cert_dir), bind_address)
    return ShownPair(contexts, 0, files, ("--cert-dir", "--cert-dir"))


def named_pair(contexts: Contexts, place: int, pair: NamedPair) -> ShownPair:
    """A pair for clients that ask for its names."""
    return ShownPair(contexts, place, (Path(pair.certificate), Path(pair.key)), (FLAG, FLAG))
