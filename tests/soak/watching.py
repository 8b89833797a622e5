"""Watches that are opened again where they ended, as client-go does, and miss nothing."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import time
import urllib.error
from typing import Any

from e2e.running import Client, Koproxy, Side

from soak.findings import Findings
from soak.people import Person

NAMESPACES = 4
EVERY = 0.5  # seconds between two changes in a namespace
SECONDS = 75  # that the API server lets a watch go on


def configmaps(namespace: int) -> str:
    """The path of what is watched."""
    return f"/api/v1/namespaces/soak-{namespace}/configmaps"


class Writer:
    """Counts in a ConfigMap of each namespace, at the API server itself."""

    def __init__(self, direct: Side, findings: Findings) -> None:
        self._direct = direct
        self._findings = findings

    def run(self) -> None:
        """Count on until it ends; a number is written once, whatever happens meanwhile."""
        numbers = [0] * NAMESPACES
        for namespace in itertools.cycle(range(NAMESPACES)):
            if self._findings.ending.wait(EVERY / NAMESPACES):
                return
            patch = json.dumps({"data": {"number": str(numbers[namespace] + 1)}}).encode()
            with contextlib.suppress(OSError, http.client.HTTPException):
                path = f"{configmaps(namespace)}/counter"
                fields = {"Content-Type": "application/merge-patch+json"}
                with self._direct.ask(path, method="PATCH", body=patch, fields=fields) as answer:
                    answer.read()
                    if answer.status == 200:
                        numbers[namespace] += 1
                        self._findings.count("changes")


class Watcher:
    """A thread that has one person watch one namespace."""

    def __init__(
        self, koproxy: Koproxy, person: Person, namespace: int, findings: Findings
    ) -> None:
        self._koproxy = koproxy
        self._person = person
        self._namespace = namespace
        self._findings = findings
        self._version = ""
        self._number = -1

    def run(self) -> None:
        """Watch until it ends."""
        while not self._findings.ending.is_set():
            begun = time.monotonic()
            try:
                with contextlib.closing(Client(self._koproxy.url, self._koproxy.ca)) as client:
                    if not self._version:
                        self._list(client, begun)
                    if self._version:
                        self._watch(client, begun)
                        continue
            except urllib.error.URLError:
                pass  # Dex is away
            except (OSError, http.client.HTTPException, ValueError) as problem:
                if not self._findings.ending.is_set() and not self._findings.api.since(begun):
                    self._findings.never(f"a watch broke: {problem!r}")
            self._findings.ending.wait(0.5)

    def _list(self, client: Client, begun: float) -> None:
        answer = client.ask(configmaps(self._namespace), self._person.token())
        body = answer.read()
        if self._good(answer.status, begun, body):
            found = json.loads(body)
            (counter,) = (item for item in found["items"] if item["metadata"]["name"] == "counter")
            self._number = int(counter["data"]["number"])
            self._version = found["metadata"]["resourceVersion"]
            self._findings.count("lists")

    def _watch(self, client: Client, begun: float) -> None:
        answer = client.ask(
            f"{configmaps(self._namespace)}?watch=1&resourceVersion={self._version}"
            f"&timeoutSeconds={SECONDS}&allowWatchBookmarks=true",
            self._person.token(),
        )
        if answer.status != 200:
            self._good(answer.status, begun, answer.read())
            return
        self._findings.count("watches opened")
        while line := answer.readline():
            if self._findings.ending.is_set():
                return
            if not self._event(json.loads(line)):
                return

    def _good(self, status: int, begun: float, body: bytes) -> bool:
        findings = self._findings
        if status == 200:
            return True
        away = findings.api.since(begun) and status != 401
        if self._person.at_dex and findings.dex.since(begun - 60):
            away = True
            self._person.forget()
        if status == 401 and b"no key of the name" in body and findings.keys.since(begun):
            away = True
            findings.count("401 since a key is new")
        if not away:
            findings.never(f"a watch gets {status}: {body[:200]!r}")
        return False

    def _event(self, event: dict[str, Any]) -> bool:
        kind, thing = event["type"], event["object"]
        if kind == "ERROR":  # too old a version: client-go lists anew
            self._findings.count("watches that had to list anew")
            self._version = ""
            return False
        self._version = thing["metadata"]["resourceVersion"]
        if kind == "BOOKMARK":
            return True
        if thing["metadata"]["namespace"] != f"soak-{self._namespace}":
            self._findings.never(f"somebody else's event: {thing['metadata']}")
        if thing["metadata"]["name"] == "counter":
            self._findings.count("events")
            number = int(thing["data"]["number"])
            if number != self._number + 1:
                self._findings.never(f"a watch goes from {self._number} to {number}")
            self._number = number
        return True
