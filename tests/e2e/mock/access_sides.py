"""The same request to a real kube-apiserver and to the mock's own decisions, without a socket."""

from __future__ import annotations

import http.client
import json
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import trustme
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from koproxy_harness.kube.access.bootstrap import BOOTSTRAP
from koproxy_harness.kube.access.control import Access
from koproxy_harness.kube.request_info import RequestInfo
from koproxy_harness.kube.status import Refusal
from koproxy_harness.serving.client_certificates import issue
from koproxy_harness.serving.exchange import Exchange, Request
from koproxy_harness.serving.parsing import Head
from localcluster.apiserver import ApiServer

AUTHENTICATION = "/apis/authentication.k8s.io/v1"
AUTHORIZATION = "/apis/authorization.k8s.io/v1"
Fields = Iterable[tuple[str, str]]
PLURALS = {
    "Role": "roles",
    "ClusterRole": "clusterroles",
    "RoleBinding": "rolebindings",
    "ClusterRoleBinding": "clusterrolebindings",
    "ServiceAccount": "serviceaccounts",
}
_NOT_FOUND = re.compile(r'\w+\.rbac\.authorization\.k8s\.io "[^"]*" not found')


@dataclass(frozen=True)
class Person:
    """A user with a client certificate."""

    name: str
    groups: tuple[str, ...]
    files: tuple[Path, ...]
    fingerprint: str

    @classmethod
    def of(cls, ca: trustme.CA, directory: Path, name: str, groups: tuple[str, ...]) -> Person:
        certificate, key = issue(ca, name, groups)
        files = directory / f"{name}.pem", directory / f"{name}-key.pem"
        for path, pem in zip(files, (certificate, key), strict=True):
            path.write_text(pem)
        der = load_pem_x509_certificate(certificate.encode()).public_bytes(Encoding.DER)
        return cls(name, groups, files, sha256(der).hexdigest())


NOBODY = Person("", (), (), "")


@dataclass(frozen=True)
class Answer:
    """What a request is answered with; `body` is {} where nothing was read."""

    code: int
    body: dict[str, Any]

    @property
    def verdict(self) -> object:
        """The refusal of somebody who may not, with what was not found in order, or nothing."""
        if self.code not in (401, 403):
            return None
        message = self.body.get("message", "")
        plain = re.split("RBAC: |resolution errors: ", message)[0]
        found = sorted(set(_NOT_FOUND.findall(message[len(plain) :])))
        return self.code, plain, found, self.body.get("details") or {}


class Real:
    """A kube-apiserver, asked as its administrator or as somebody with a certificate."""

    def __init__(self, api: ApiServer) -> None:
        self._api = api
        self._connections: dict[str, http.client.HTTPSConnection] = {}

    def ask(
        self,
        method: str,
        target: str,
        fields: Fields = (),
        body: object = None,
        by: Person | None = None,
    ) -> Answer:
        """Send one request; of a watch only the head is read."""
        name = by.name if by else "the administrator"
        connection = self._connections.get(name)
        if connection is None:
            context = ssl.create_default_context(cafile=self._api.ca)
            if by and by.files:
                context.load_cert_chain(*by.files)
            port = urlsplit(self._api.url).port
            connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=30)
            self._connections[name] = connection
        connection.putrequest(method, target)
        if by is None:
            fields = [("Authorization", f"Bearer {self._api.admin_token}"), *fields]
        data = b"" if body is None else json.dumps(body).encode()
        for field_name, value in (*fields, *_framing(data)):
            connection.putheader(field_name, value.encode())
        connection.endheaders(data)
        with connection.getresponse() as response:
            if "watch" in target and response.status < 400:
                self.close(name)
                return Answer(response.status, {})
            text = response.read()
        try:
            return Answer(response.status, json.loads(text))
        except ValueError:
            return Answer(response.status, {})

    def create(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Create an object."""
        answer = self.ask("POST", collection(item), body=item)
        assert answer.code == 201, answer.body
        return answer.body

    def close(self, name: str) -> None:
        self._connections.pop(name).close()

    def stop(self) -> None:
        for name in list(self._connections):
            self.close(name)


@dataclass
class Objects:
    """Objects in a list, as the mock's rules read them."""

    items: list[dict[str, Any]] = field(default_factory=lambda: list(BOOTSTRAP))

    def objects(
        self, group: str, plural: str, namespace: str | None = None
    ) -> Iterator[dict[str, Any]]:
        for item in self.items:
            place = item["metadata"].get("namespace", "")
            if PLURALS[item["kind"]] == plural and namespace in (None, place):
                yield item

    def find(self, group: str, plural: str, namespace: str, name: str) -> dict[str, Any] | None:
        found = self.objects(group, plural, namespace)
        return next((item for item in found if item["metadata"]["name"] == name), None)


class Mock:
    """What the mock decides, by these objects."""

    def __init__(self, store: Objects, admin_token: str) -> None:
        self.access = Access(store, admin_token)
        self._admin_token = admin_token

    def ask(
        self,
        method: str,
        target: str,
        fields: Fields = (),
        body: object = None,
        by: Person | None = None,
        old: dict[str, Any] | None = None,
    ) -> Answer:
        """Decide about one request, which may replace `old`; what isn't a review is let pass."""
        if by is None:
            fields = [("Authorization", f"Bearer {self._admin_token}"), *fields]
        data = b"" if body is None else json.dumps(body).encode()
        headers = tuple(
            (name, value.encode().decode("latin-1")) for name, value in (*fields, *_framing(data))
        )
        peer = (by.name or None, by.groups, by.fingerprint) if by else (None,)
        request = Request(Head(method, target, "1.1", headers, b""), 1, *peer)
        request.add(data, data)
        info = RequestInfo.of(request.method, request.path, request.query)
        try:
            user = self.access.acting(self.access.authenticate(request), request, info)
            self.access.authorize(user, info)
            if self.access.reviews.knows(info):
                answered = Answered(request)
                self.access.reviews.answer(cast(Exchange, answered), info, user)
                assert answered.answer is not None
                return answered.answer
            if isinstance(body, dict) and body.get("kind") in PLURALS:
                self.access.escalation.check(user, info, body, old)
        except Refusal as refusal:
            # An empty object is written where there is nothing to say.
            return Answer(refusal.code, refusal.body)
        return Answer(200, {})


@dataclass
class Answered:
    """Stands for an exchange, and keeps the answer."""

    request: Request
    answer: Answer | None = None

    def respond(self, code: int, body: dict[str, Any]) -> None:
        self.answer = Answer(code, body)


def collection(item: Mapping[str, Any]) -> str:
    """Give the path that an object is created at."""
    version = item["apiVersion"]
    prefix = f"/apis/{version}" if "/" in version else f"/api/{version}"
    namespace = item["metadata"].get("namespace")
    place = f"/namespaces/{namespace}" if namespace else ""
    return f"{prefix}{place}/{PLURALS.get(item['kind'], item['kind'].lower() + 's')}"


def _framing(data: bytes) -> Fields:
    if not data:
        return ()
    return (("Content-Type", "application/json"), ("Content-Length", str(len(data))))
