"""People who log in, ask who they are, and are told so; some with tokens that are no good."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import threading
import time
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass, field

from e2e.running import Client, Koproxy

from soak.findings import Findings

REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = b'{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'
IMPERSONATION = b"Impersonation requests are disabled when using kube-oidc-proxy"
AGE = 45.0  # seconds after which a token is replaced by a new one
WHILE_AWAY = frozenset({403, 429, 500, 502, 503, 504})


@dataclass
class Person:
    """Somebody, and how they log in; ``at_dex`` they are nobody while Dex is away."""

    username: str
    groups: frozenset[str]
    log_in: Callable[[], str]
    at_dex: bool = False
    _token: str = ""
    _since: float = field(default=float("-inf"))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def token(self) -> str:
        """A token that is good for a while; raises OSError."""
        with self._lock:
            if time.monotonic() - self._since > AGE:
                self._token, self._since = self.log_in(), time.monotonic()
            return self._token

    def forget(self) -> None:
        """Log in anew the next time."""
        with self._lock:
            self._since = float("-inf")


class Asking:
    """A thread that asks as one person after the other, on connections that it keeps for a time."""

    def __init__(
        self, koproxy: Koproxy, people: list[Person], bad: Callable[[], str], findings: Findings
    ) -> None:
        self._koproxy = koproxy
        self._people = people
        self._bad = bad
        self._findings = findings
        self._random = random.Random(id(self))

    def run(self) -> None:
        """Ask until it ends."""
        while not self._findings.ending.is_set():
            begun = time.monotonic()
            try:
                with contextlib.closing(Client(self._koproxy.url, self._koproxy.ca)) as client:
                    for _ in range(self._random.randrange(5, 200)):
                        begun = time.monotonic()
                        self._ask(client, begun)
                        if self._findings.ending.is_set():
                            return
            except (OSError, http.client.HTTPException, ValueError) as problem:
                if not self._findings.api.since(begun):
                    self._findings.never(f"a connection broke: {problem!r}")
                self._findings.count("broken while the API server was away")
                self._findings.ending.wait(0.2)

    def _ask(self, client: Client, begun: float) -> None:
        chance = self._random.random()
        person = self._random.choice(self._people)
        try:
            token = person.token()
        except urllib.error.URLError:
            return  # Dex is away
        if chance < 0.05:
            answer = client.ask("/api", self._bad())
            self._expect(answer.status, 401, begun, answer.read(), person)
        elif chance < 0.1:
            answer = client.ask("/api", token, fields={"Impersonate-User": "somebody"})
            body = answer.read()
            self._expect(answer.status, 403, begun, body, person)
            if answer.status == 403 and IMPERSONATION not in body:
                self._findings.never(f"another 403: {body[:200]!r}")
        else:
            fields = {"Content-Type": "application/json"}
            answer = client.ask(REVIEWS, token, method="POST", body=REVIEW, fields=fields)
            body = answer.read()
            if self._expect(answer.status, 201, begun, body, person):
                self._compare(person, json.loads(body)["status"]["userInfo"])

    def _expect(self, status: int, wanted: int, begun: float, body: bytes, person: Person) -> bool:
        findings = self._findings
        findings.count(f"answers {status}")
        if status == wanted:
            findings.good()
            return True
        away = status in WHILE_AWAY and findings.api.since(begun)
        if person.at_dex and status in (401, 503) and findings.dex.since(begun - AGE):
            away = True
            person.forget()
        if status == 401 and b"no key of the name" in body and findings.keys.since(begun):
            away = True
            findings.count("401 since a key is new")
        if not away:
            findings.never(f"{status} in place of {wanted} for {person.username}: {body[:300]!r}")
        return False

    def _compare(self, person: Person, user: dict[str, object]) -> None:
        groups = person.groups | {"system:authenticated"}
        found = user["groups"]
        assert isinstance(found, list)
        if user["username"] != person.username or set(found) != groups:
            self._findings.never(f"WRONG IDENTITY: {person.username} {groups} is {user}")
