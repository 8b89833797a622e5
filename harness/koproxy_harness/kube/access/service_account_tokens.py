"""The tokens that an API server makes for service accounts, and whether one is good still.

It reads the store, and has a key of its own. A token ends with its time, its service account, or
the object that it is bound to.
https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens
"""

from __future__ import annotations

import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from functools import cached_property
from hashlib import sha256
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from koproxy_harness.kube.access.aggregation import Object
from koproxy_harness.kube.access.rbac import Objects
from koproxy_harness.kube.access.users import (
    CREDENTIAL_ID,
    User,
    extra,
    service_account_groups,
    service_account_name,
)
from koproxy_harness.kube.quoting import quoted_list

# Who signs, and for whom where nobody else is named: what kubeadm gives a cluster.
ISSUER = "https://kubernetes.default.svc.cluster.local"
# What a token may be bound to: its name in the token, its plural, whether it is in a namespace.
BOUND = {
    "Pod": ("pod", "pods", True),
    "Secret": ("secret", "secrets", True),
    "Node": ("node", "nodes", False),
}

_ALGORITHM = "ES256"
_LEEWAY = 60  # seconds, as kube-apiserver has it
_EXTRA = "authentication.kubernetes.io/"


class InvalidToken(Exception):
    """A token that this server has made and that is good no more, or not for this."""


class ServiceAccountTokens:
    """Makes and reads tokens, by the service accounts in one store.

    `now` gives the time, in seconds since 1970.
    """

    def __init__(self, store: Objects, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self.now = now

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def _key_id(self) -> str:
        public = self._key.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        return urlsafe_b64encode(sha256(public).digest()).rstrip(b"=").decode()

    def issue(
        self,
        account: Object,
        audiences: Sequence[str],
        lifetime: int,
        bound: Sequence[tuple[str, Object]] = (),
    ) -> str:
        """Make a token of a service account, good for `lifetime` seconds.

        `bound` are objects by the name of their claim: `("pod", the Pod)`.
        """
        metadata = account["metadata"]
        now = int(self.now())
        claims = {
            "iss": ISSUER,
            "sub": service_account_name(metadata["namespace"], metadata["name"]),
            "aud": list(audiences),
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": {
                "namespace": metadata["namespace"],
                "serviceaccount": _reference(account),
                **{name: _reference(item) for name, item in bound},
            },
        }
        return jwt.encode(claims, self._key, _ALGORITHM, headers={"kid": self._key_id})

    def user(self, token: str, audiences: Sequence[str]) -> tuple[User, list[str]] | None:
        """Give the user of a token, and which of these audiences it is for.

        None for what is none of this server's tokens; raises `InvalidToken` for one that is.
        """
        try:
            claims = jwt.decode(
                token,
                self._key.public_key(),
                [_ALGORITHM],
                issuer=ISSUER,
                options={
                    "verify_aud": False,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError:
            return None
        accepted = [audience for audience in audiences if audience in claims["aud"]]
        if not accepted:
            raise InvalidToken(
                f"token audiences {quoted_list(claims['aud'])} is invalid for the target audiences "
                f"{quoted_list(audiences)}"
            )
        if claims["exp"] + _LEEWAY < self.now():
            raise InvalidToken("service account token has expired")
        if claims["nbf"] - _LEEWAY > self.now():
            raise InvalidToken("service account token is not valid yet")
        return self._bound_user(claims["jti"], claims["kubernetes.io"]), accepted

    def _bound_user(self, identity: str, private: dict[str, Any]) -> User:
        namespace, account = private["namespace"], private["serviceaccount"]
        found = self._store.find("", "serviceaccounts", namespace, account["name"])
        if found is None:
            raise InvalidToken(f'serviceaccounts "{account["name"]}" not found')
        if found["metadata"]["uid"] != account["uid"]:
            raise InvalidToken(
                f"service account UID ({found['metadata']['uid']}) does not match claim "
                f"({account['uid']})"
            )
        extras = {CREDENTIAL_ID: (f"JTI={identity}",)}
        for claim, plural, namespaced in BOUND.values():
            reference = private.get(claim)
            if reference is None:
                continue
            # The node of a token that is bound to a pod is only told, not looked for.
            if claim != "node" or "pod" not in private:
                self._confirm(plural, namespace if namespaced else "", reference)
            if claim != "secret":
                extras[f"{_EXTRA}{claim}-name"] = (reference["name"],)
                if "uid" in reference:
                    extras[f"{_EXTRA}{claim}-uid"] = (reference["uid"],)
        return User(
            service_account_name(namespace, account["name"]),
            service_account_groups(namespace),
            account["uid"],
            extra(extras),
        )

    def _confirm(self, plural: str, namespace: str, reference: dict[str, str]) -> None:
        found = self._store.find("", plural, namespace, reference["name"])
        if found is None or found["metadata"]["uid"] != reference["uid"]:
            raise InvalidToken("service account token has been invalidated")


def _reference(item: Object) -> dict[str, str]:
    return {key: item["metadata"][key] for key in ("name", "uid") if key in item["metadata"]}
