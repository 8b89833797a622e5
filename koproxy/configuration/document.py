"""The fields of an AuthenticationConfiguration (``apiserver.config.k8s.io``), as they are written.

Follows https://kubernetes.io/docs/reference/config-api/apiserver-config.v1/. An absent field is
empty, but for a prefix, of which Kubernetes wants to know whether it is there.
"""

from dataclasses import dataclass, field
from typing import Any

from koproxy.configuration.decoding import Schema


# ruff doesn't know that this only describes a field.
# ruff: noqa: RUF009
def _named(name: str, default: Any = "") -> Any:
    return field(default=default, metadata={"name": name})


@dataclass(frozen=True, slots=True)
class Issuer:
    """``issuer``: who signs the tokens, and for whom they are."""

    url: str = ""
    discovery_url: str = _named("discoveryURL")
    certificate_authority: str = _named("certificateAuthority")
    audiences: tuple[str, ...] = ()
    audience_match_policy: str = _named("audienceMatchPolicy")
    egress_selector_type: str = _named("egressSelectorType")


@dataclass(frozen=True, slots=True)
class ClaimValidationRule:
    """One of ``claimValidationRules``: a claim that must have a value, or an expression."""

    claim: str = ""
    required_value: str = _named("requiredValue")
    expression: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class PrefixedMapping:
    """``username`` or ``groups``: a claim with what is put before it, or an expression."""

    claim: str = ""
    prefix: str | None = None
    expression: str = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """``uid``: a claim, or an expression."""

    claim: str = ""
    expression: str = ""


@dataclass(frozen=True, slots=True)
class ExtraMapping:
    """One of ``extra``: a key, and the expression for its values."""

    key: str = ""
    value_expression: str = _named("valueExpression")


@dataclass(frozen=True, slots=True)
class ClaimMappings:
    """``claimMappings``: what becomes of the claims."""

    username: PrefixedMapping = PrefixedMapping()
    groups: PrefixedMapping = PrefixedMapping()
    uid: Mapping = Mapping()
    extra: tuple[ExtraMapping, ...] = ()


_NO_MAPPINGS = ClaimMappings()


@dataclass(frozen=True, slots=True)
class UserValidationRule:
    """One of ``userValidationRules``: an expression about the user that the claims give."""

    expression: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class JWTAuthenticator:
    """One of ``jwt``: an issuer, and what its tokens mean."""

    issuer: Issuer = Issuer()
    claim_validation_rules: tuple[ClaimValidationRule, ...] = _named("claimValidationRules", ())
    claim_mappings: ClaimMappings = _named("claimMappings", _NO_MAPPINGS)
    user_validation_rules: tuple[UserValidationRule, ...] = _named("userValidationRules", ())


@dataclass(frozen=True, slots=True)
class AnonymousCondition:
    """One of the ``conditions`` of ``anonymous``: a path that needs no token."""

    path: str = ""


@dataclass(frozen=True, slots=True)
class Anonymous:
    """``anonymous``: whether requests without a token are let through, and to which paths."""

    enabled: bool = False
    conditions: tuple[AnonymousCondition, ...] = ()


@dataclass(frozen=True, slots=True)
class AuthenticationConfiguration:
    """The whole file."""

    jwt: tuple[JWTAuthenticator, ...] = ()
    anonymous: Anonymous | None = None


GROUP = "apiserver.config.k8s.io"
SCHEMA = Schema(
    "AuthenticationConfiguration",
    tuple(f"{GROUP}/{version}" for version in ("v1", "v1beta1", "v1alpha1")),
    AuthenticationConfiguration,
)
