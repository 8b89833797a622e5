"""From the flags to an Authentication, and to what keeps it in step with the files they name.

What is wrong with a flag or a file is said here, before the reactor runs; nothing is fetched.
"""

from dataclasses import fields
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.web.client import Agent

from koproxy.authentication import Authentication
from koproxy.authentication_file import FLAG, AuthenticationFile, read_configuration
from koproxy.configuration.checking import Compiler
from koproxy.configuration.file import configured
from koproxy.configuration.flags import issuer_from_flags
from koproxy.errors import ConfigurationError
from koproxy.identity.issuer import Issuer
from koproxy.modes import added_fields
from koproxy.reloaded import Reloaded
from koproxy.settings import Settings
from koproxy.sources.fetch import SECONDS, Fetcher
from koproxy.sources.trust import IssuerTrust, OtherAuthorities, TrustFiles

CONNECT_SECONDS = 10.0

_OF_ALL_ISSUERS = frozenset(["oidc_tls_client_cert_file", "oidc_tls_client_key_file"])


def make_authentication(
    settings: Settings, reactor: IReactorTime, *, seconds: float = SECONDS
) -> tuple[Authentication, tuple[Reloaded[Any], ...]]:
    """Make what the flags describe; an issuer has so many ``seconds`` for each of its answers.

    Raises ConfigurationError.
    """
    check_reserved_groups(settings)
    check_issuer_flags(settings)
    trust = IssuerTrust(
        settings.oidc_ca_file,
        settings.oidc_tls_client_cert_file,
        settings.oidc_tls_client_key_file,
    )

    def fetcher(policy: IssuerTrust | OtherAuthorities) -> Fetcher:
        agent = Agent(reactor, policy, connectTimeout=CONNECT_SECONDS)
        return Fetcher(reactor, agent, seconds=seconds)

    authentication = Authentication(
        [] if settings.authentication_config else [flagged_issuer(settings)],
        fetcher(trust),
        reactor,
        require_all=settings.readiness_require_all_issuers,
        outage_tolerance=settings.issuer_outage_tolerance.total_seconds(),
        allow_reserved_groups=settings.allow_reserved_groups,
        added=added_fields(settings),
        impersonate=not settings.disable_impersonation,
    )

    def take(files: TrustFiles) -> str:
        said = trust.take(files)
        authentication.look_again()
        return said

    kept: list[Reloaded[Any]] = [Reloaded(trust.name, trust.read, take, reactor)]
    if settings.authentication_config:
        file = AuthenticationFile(
            settings.authentication_config,
            _compiler(),
            lambda authorities, where: fetcher(OtherAuthorities(trust, authorities, where)),
            authentication,
        )
        name = f"{FLAG} {settings.authentication_config}"
        kept.append(Reloaded(name, file.read, file.take, reactor))
    return authentication, tuple(kept)


def read_issuers(settings: Settings) -> tuple[Issuer, ...]:
    """Give the rules that the flags, or the file, describe now; raises ConfigurationError."""
    file = settings.authentication_config
    if file:
        return configured(read_configuration(file), file, _compiler()).issuers
    return (flagged_issuer(settings),)


def _compiler() -> Compiler:
    # Google's library takes 20 MB, and who has flags alone has no expressions.
    from koproxy.cel import compiling  # noqa: PLC0415

    return compiling.Compiler()


def flagged_issuer(settings: Settings) -> Issuer:
    """Give the rules that the issuer-specific flags describe; raises ConfigurationError."""
    return issuer_from_flags(
        oidc_issuer_url=settings.oidc_issuer_url,
        oidc_client_id=settings.oidc_client_id,
        oidc_username_claim=settings.oidc_username_claim,
        oidc_username_prefix=settings.oidc_username_prefix,
        oidc_groups_claim=settings.oidc_groups_claim,
        oidc_groups_prefix=settings.oidc_groups_prefix,
        oidc_signing_algs=settings.oidc_signing_algs,
        oidc_required_claim=settings.oidc_required_claim,
    )


def check_issuer_flags(settings: Settings) -> None:
    """See that one issuer's flags aren't given beside a file; raises ConfigurationError."""
    if not settings.authentication_config:
        return
    given = [
        f"--{each.name.replace('_', '-')}"
        for each in fields(Settings)
        if each.name.startswith("oidc_")
        and each.name not in _OF_ALL_ISSUERS
        and getattr(settings, each.name) != each.default
    ]
    if given:
        raise ConfigurationError(
            f"{FLAG} says all of its issuers, and {', '.join(given)} can't be given beside it: "
            "write what they say into the file, or leave the file out"
        )


def check_reserved_groups(settings: Settings) -> None:
    """See that the groups to allow are reserved ones; raises ConfigurationError."""
    for group in settings.allow_reserved_groups:
        if not group.startswith("system:"):
            raise ConfigurationError(
                f"--allow-reserved-groups has {group!r}, which is not reserved: "
                "only groups that begin with system: need to be allowed, leave it out"
            )
