"""Which of several certificates a client is shown, by the name that it asks for (SNI, RFC 6066).

``--tls-sni-cert-key`` as kube-apiserver has it. A name that was given goes before a wildcard, and a
pattern of the flag before a name of a certificate; of equals the first wins. It opens no file.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from cryptography import x509
from cryptography.x509.oid import NameOID

from koproxy.errors import ConfigurationError

FLAG = "--tls-sni-cert-key"

# As Kubernetes has a host's name (RFC 1123).
_LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class NamedPair:
    """One value of the flag: two files, and the names that they are for, which may be none."""

    certificate: str
    key: str
    patterns: tuple[str, ...] = ()


def read_named_pair(value: str) -> NamedPair:
    """Read ``CERTIFICATE,KEY`` or ``CERTIFICATE,KEY:NAME,*.NAME``; raises ConfigurationError."""
    files, colon, names = value.partition(":")
    certificate, _, key = (part.strip() for part in files.partition(","))
    if not certificate or not key or "," in key:
        raise ConfigurationError(
            f"{FLAG} {value} is not two files: give CERTIFICATE,KEY or CERTIFICATE,KEY:NAME,NAME"
        )
    patterns = tuple(name.strip().lower() for name in names.split(",")) if colon else ()
    if not all(patterns):
        raise ConfigurationError(
            f"{FLAG} {value} has an empty name: give names after the colon, or leave it out"
        )
    return NamedPair(certificate, key, patterns)


class ServerNames:
    """Finds the place of a certificate in a row, whose first is for whoever asks for no other."""

    def __init__(
        self, patterns: Sequence[Sequence[str]], certificates: Sequence[x509.Certificate]
    ) -> None:
        """Take, place by place, the flag's patterns and the certificate; the first has none."""
        asked: dict[str, int] = {}
        own: dict[str, int] = {}
        self._addresses: dict[str, int] = {}
        self._certified: dict[str, int] = {}
        for place, (given, certificate) in enumerate(zip(patterns, certificates, strict=True)):
            for name in given:
                asked.setdefault(name, place)
                if address := _address(name):
                    self._addresses.setdefault(address, place)
            if place and not given:
                for name in certificate_names(certificate):
                    own.setdefault(name, place)
            for name in _dns_names(certificate):
                self._certified.setdefault(name, place)
        self._names = own | asked

    @property
    def by_address(self) -> bool:
        """Whether some of the names are addresses."""
        return bool(self._addresses)

    def find(self, name: str) -> int:
        """Give the place of the certificate for a name."""
        name = name.lower()
        wildcard = f"*.{name.partition('.')[2]}" if "." in name else "*"
        for asked in (name, wildcard):
            if (place := self._names.get(asked)) is not None:
                return place
        # As Go does it, which looks for any certificate that would do before it takes the first.
        fitting = [self._certified[each] for each in (name, wildcard) if each in self._certified]
        return min(fitting, default=0)

    def find_address(self, address: str) -> int:
        """Give the place for a client that asks for no name and has connected to an address."""
        return self._addresses.get(_address(address) or "", 0)


def certificate_names(certificate: x509.Certificate) -> list[str]:
    """The names that a certificate is for, its common name among them if it is a host's."""
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    names = [str(common[-1].value)] if common else []
    return [name for name in names if _is_host(name)] + _dns_names(certificate)


def _is_host(name: str) -> bool:
    host = name.removeprefix("*.")
    fits = name == "*" or (len(host) <= 253 and _HOST.fullmatch(host))
    return bool(fits) and not _address(name)


def _dns_names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [name.lower() for name in found.value.get_values_for_type(x509.DNSName)]


def _address(text: str) -> str | None:
    try:
        return str(ip_address(text.removeprefix("::ffff:")))
    except ValueError:
        return None
