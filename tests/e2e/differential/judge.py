"""Who a kube-apiserver says that somebody is: a SelfSubjectReview with the header as it stands."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PATH = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_BODY = json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}).encode()
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
EVERYBODY = "system:authenticated"


@dataclass(frozen=True)
class Person:
    """Somebody, as an API server describes them."""

    username: str
    groups: tuple[str, ...]
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Nobody:
    """A refusal, with the status code."""

    status: int


class Judge:
    """Asks one server on one connection."""

    def __init__(self, url: str, ca: Path) -> None:
        self._connection = http.client.HTTPSConnection(
            urlsplit(url).netloc, timeout=30, context=ssl.create_default_context(cafile=ca)
        )

    def who(self, authorization: bytes) -> Person | Nobody:
        """Show a value of the Authorization header and return who that is."""
        connection = self._connection
        connection.putrequest("POST", PATH, skip_accept_encoding=True)
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(_BODY)))
        if authorization:
            connection.putheader("Authorization", authorization)
        connection.endheaders(_BODY)
        response = connection.getresponse()
        body = response.read()
        if response.status != 201:
            return Nobody(response.status)
        return _person(json.loads(body)["status"]["userInfo"])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _person(info: dict[str, Any]) -> Person:
    extra = {key: tuple(values) for key, values in info.get("extra", {}).items()}
    extra.pop(CREDENTIAL_ID, None)
    return Person(
        info.get("username", ""),
        tuple(info.get("groups", ())),
        info.get("uid", ""),
        tuple(sorted(extra.items())),
    )
