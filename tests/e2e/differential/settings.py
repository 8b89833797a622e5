"""OIDC settings, each once: as koproxy's rules, as a kube-apiserver's flags, and as an entry of its
AuthenticationConfiguration, which is what it makes of the flags itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from koproxy_harness import ALGORITHMS, Issuer

from koproxy.configuration.flags import issuer_from_flags
from koproxy.identity.issuer import Issuer as Rules

AUDIENCE = "kubernetes"
KUBERNETES_ALGORITHMS = tuple(each for each in ALGORITHMS if each != "EdDSA")


class SettableIssuer(Issuer):
    """An issuer whose key set a test may replace; None is the usual one."""

    replaced: Any = None

    @property
    def jwks(self) -> Any:
        """The key set document as it is served."""
        return super().jwks if self.replaced is None else self.replaced


@dataclass
class Settings:
    """One issuer and what is made of its tokens."""

    name: str
    username_claim: str = "sub"
    username_prefix: str = "-"
    groups_claim: str = ""
    groups_prefix: str = ""
    required: tuple[tuple[str, str], ...] = ()
    algorithms: tuple[str, ...] = KUBERNETES_ALGORITHMS
    issuer: SettableIssuer = field(default_factory=SettableIssuer)

    def claims(self, **changes: object) -> dict[str, Any]:
        """Claims that are good for these settings; None takes one away."""
        now = int(time.time())
        good: dict[str, object] = {
            "iss": self.issuer.url,
            "aud": AUDIENCE,
            "exp": now + 3600,
            "iat": now,
            "sub": "jane",
            "email": "jane@example.com",
            "user": "jane.doe",
            "groups": ["dev"],
            "tenant": "blue",
        }
        good |= changes
        return {name: value for name, value in good.items() if value is not None}

    def rules(self) -> Rules:
        """The settings as koproxy takes them from its flags."""
        return issuer_from_flags(
            oidc_issuer_url=self.issuer.url,
            oidc_client_id=AUDIENCE,
            oidc_username_claim=self.username_claim,
            oidc_username_prefix=self.username_prefix,
            oidc_groups_claim=self.groups_claim,
            oidc_groups_prefix=self.groups_prefix,
            oidc_signing_algs=self.algorithms,
            oidc_required_claim=self.required,
        )

    def flags(self, authorities: Path) -> list[str]:
        """The settings as a kube-apiserver's flags, and koproxy's."""
        return [
            f"--oidc-issuer-url={self.issuer.url}",
            f"--oidc-client-id={AUDIENCE}",
            f"--oidc-ca-file={authorities}",
            f"--oidc-username-claim={self.username_claim}",
            f"--oidc-username-prefix={self.username_prefix}",
            f"--oidc-groups-claim={self.groups_claim}",
            f"--oidc-groups-prefix={self.groups_prefix}",
            f"--oidc-signing-algs={','.join(self.algorithms)}",
            *(f"--oidc-required-claim={name}={value}" for name, value in self.required),
        ]

    def entry(self, authorities: Path) -> dict[str, object]:
        """The settings as an entry of `jwt` in an AuthenticationConfiguration."""
        prefix = self.username_prefix
        if prefix == "-":
            prefix = ""
        elif not prefix and self.username_claim != "email":
            prefix = f"{self.issuer.url}#"
        mappings: dict[str, object] = {"username": {"claim": self.username_claim, "prefix": prefix}}
        if self.groups_claim:
            mappings["groups"] = {"claim": self.groups_claim, "prefix": self.groups_prefix}
        return {
            "issuer": {
                "url": self.issuer.url,
                "audiences": [AUDIENCE],
                "certificateAuthority": authorities.read_text(),
            },
            "claimMappings": mappings,
            "claimValidationRules": [
                {"claim": name, "requiredValue": value} for name, value in self.required
            ],
        }


def several() -> list[Settings]:
    """Settings for one kube-apiserver with an AuthenticationConfiguration."""
    return [
        Settings("sub"),
        Settings("email", username_claim="email", username_prefix=""),
        Settings("email-prefix", username_claim="email", username_prefix="mail:"),
        Settings(
            "all",
            username_claim="user",
            username_prefix="oidc:",
            groups_claim="groups",
            groups_prefix="team:",
            required=(("tenant", "blue"),),
        ),
        Settings("groups", groups_claim="groups"),
        Settings("keys"),
    ]


def by_flags() -> Settings:
    """Settings for a kube-apiserver with flags: those that an entry can't have are among them."""
    return Settings(
        "flags",
        username_prefix="",
        groups_claim="groups",
        groups_prefix="oidc:",
        required=(("tenant", "blue"), ("email", "jane@example.com")),
        algorithms=("RS256", "ES384"),
    )


def write_authorities(path: Path, settings: Iterable[Settings]) -> Path:
    """Write the authorities of all issuers into one file: claims of one may be with another."""
    path.write_text("".join(each.issuer.ca_pem for each in settings))
    return path


def write_configuration(path: Path, settings: Iterable[Settings], authorities: Path) -> Path:
    """Write an AuthenticationConfiguration; JSON is YAML."""
    document = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "jwt": [each.entry(authorities) for each in settings],
    }
    path.write_text(json.dumps(document))
    return path
