"""The issuer-specific ``--oidc-*`` flags as one entry of an AuthenticationConfiguration. Pure."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from koproxy.configuration.document import (
    ClaimMappings,
    ClaimValidationRule,
    JWTAuthenticator,
    PrefixedMapping,
)
from koproxy.configuration.document import Issuer as Given
from koproxy.configuration.issuers import issuers
from koproxy.errors import ConfigurationError
from koproxy.identity.issuer import Issuer
from koproxy.identity.keys import ALGORITHMS


def issuer_from_flags(
    *,
    oidc_issuer_url: str,
    oidc_client_id: str,
    oidc_username_claim: str = "sub",
    oidc_username_prefix: str = "",
    oidc_groups_claim: str = "",
    oidc_groups_prefix: str = "",
    oidc_signing_algs: Iterable[str] = ("RS256",),
    oidc_required_claim: Iterable[tuple[str, str]] = (),
) -> Issuer:
    """Make the rules that kube-apiserver follows with flags of these names.

    They are those of one entry of an AuthenticationConfiguration, and of the one thing that such an
    entry can't say: which signing algorithms a token may have. Of required claims with the same
    name, the last one counts. Raises ConfigurationError.
    """
    _check_url(oidc_issuer_url)
    if not oidc_client_id:
        raise ConfigurationError(
            "--oidc-client-id is missing: give the client ID that the issuer puts into the aud"
            " claim of its tokens"
        )
    if not oidc_username_claim:
        raise ConfigurationError(
            "--oidc-username-claim is empty: name the claim that holds the user name, such as sub"
        )
    algorithms = frozenset(oidc_signing_algs) or frozenset({"RS256"})
    for algorithm in sorted(algorithms):
        if algorithm not in ALGORITHMS:
            raise ConfigurationError(
                f"--oidc-signing-algs has {algorithm!r}: choose from {', '.join(ALGORITHMS)}"
            )
    required = dict(oidc_required_claim)
    if "" in required:
        raise ConfigurationError(
            "--oidc-required-claim has no name before its equals sign: write claim=value"
        )
    prefix = oidc_username_prefix
    if prefix == "-":
        prefix = ""
    elif not prefix and oidc_username_claim != "email":
        prefix = f"{oidc_issuer_url}#"
    entry = JWTAuthenticator(
        issuer=Given(url=oidc_issuer_url, audiences=(oidc_client_id,)),
        claim_validation_rules=tuple(
            [
                ClaimValidationRule(claim=claim, required_value=value)
                for claim, value in required.items()
            ]
        ),
        claim_mappings=ClaimMappings(
            username=PrefixedMapping(claim=oidc_username_claim, prefix=prefix),
            groups=PrefixedMapping(claim=oidc_groups_claim, prefix=oidc_groups_prefix),
        ),
    )
    (issuer,) = issuers([entry], {}, algorithms)
    return issuer


def _check_url(url: str) -> None:
    flag = "--oidc-issuer-url"
    if not url:
        raise ConfigurationError(f"{flag} is missing: give the https URL of the issuer")
    try:
        parts = urlsplit(url)
        port_is_good = parts.port != 0
    except ValueError:
        port_is_good = False
    if "@" in url:  # not repeated: there may be a password before it
        raise ConfigurationError(
            f"{flag} may have no user name or password: give the URL that the iss claim of the"
            " tokens has"
        )
    if not port_is_good or not url.isprintable() or " " in url:
        raise ConfigurationError(f"{flag} {url!r} is not a URL")
    if parts.scheme != "https" or not parts.hostname:
        raise ConfigurationError(
            f"{flag} {url!r} is not an https URL: tokens can only be trusted if their issuer's"
            " keys come over TLS"
        )
    if "?" in url or "#" in url:
        raise ConfigurationError(
            f"{flag} may have no query or fragment: give the URL that the"
            " iss claim of the tokens has"
        )
