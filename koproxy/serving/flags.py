"""From the serving flags to the TLS that clients are served with, and the files it is made of."""

from dataclasses import dataclass
from typing import Any

from twisted.internet.interfaces import IReactorTime

from koproxy.errors import ConfigurationError
from koproxy.identity.certificate import CREDENTIAL_ID, Certificates
from koproxy.modes import added_fields
from koproxy.reloaded import Reloaded
from koproxy.serving.clients import ClientAuthorities
from koproxy.serving.contexts import Contexts
from koproxy.serving.names import read_named_pair
from koproxy.serving.pair import ShownPair, default_pair, named_pair
from koproxy.serving.protocol import Protocol
from koproxy.settings import Settings


@dataclass(frozen=True, slots=True)
class Serving:
    """What serves clients; nothing is shown before each of ``files`` has been taken up once.

    ``certificates`` decides about clients' certificates, or is None if nobody is asked for one.
    """

    contexts: Contexts
    files: tuple[ShownPair | ClientAuthorities, ...]
    certificates: Certificates | None

    @property
    def expiries(self) -> dict[str, float]:
        """When each certificate ends, in seconds since the epoch, by its flags and files."""
        return {each.name: each.expires for each in self.files if isinstance(each, ShownPair)}

    def reloaded(self, clock: IReactorTime) -> tuple[Reloaded[Any], ...]:
        """Have the files taken up, and looked at from then on; raises ConfigurationError."""
        return tuple([Reloaded(each.name, each.read, each.take, clock) for each in self.files])


def extra_keys(settings: Settings) -> tuple[str, ...]:
    """The keys of the extra fields that clients' certificates give."""
    return (CREDENTIAL_ID,) if settings.client_ca_file else ()


def make_serving(settings: Settings, *, self_sign: bool = True) -> Serving:
    """What the settings say; without ``self_sign`` a certificate that isn't given is left out.

    Raises:
        ConfigurationError: a flag, or the folder for a certificate, that can't work.
    """
    if settings.client_ca_file and settings.disable_impersonation:
        raise ConfigurationError(
            "--client-ca-file and --disable-impersonation are both given: without impersonation "
            "nobody can be passed on by a certificate; leave one of them out"
        )
    named = [read_named_pair(value) for value in settings.tls_sni_cert_key]
    protocol = Protocol(settings.tls_min_version, settings.tls_cipher_suites)
    contexts = Contexts(protocol, [each.patterns for each in named])
    files: list[ShownPair | ClientAuthorities] = []
    if self_sign or settings.tls_cert_file or settings.tls_private_key_file:
        pair = default_pair(
            contexts,
            settings.tls_cert_file,
            settings.tls_private_key_file,
            settings.cert_dir,
            settings.bind_address,
        )
        files.append(pair)
    files += [named_pair(contexts, place, each) for place, each in enumerate(named, 1)]
    certificates = None
    if settings.client_ca_file:
        certificates = Certificates(
            allow_reserved_groups=frozenset(settings.allow_reserved_groups),
            added=added_fields(settings),
        )
        files.append(ClientAuthorities(contexts, certificates, settings.client_ca_file))
    return Serving(contexts, tuple(files), certificates)
