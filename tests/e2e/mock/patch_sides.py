"""The same change of an object by a real kube-apiserver, over REST, and by the mock's functions.

Each change starts from what the real server has, so that a difference is seen in the change that
makes it. What only a server fills in (versions, times, defaults) is taken from the real one.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from koproxy_harness.kube import patches
from koproxy_harness.kube.kinds import Kind, Kinds
from koproxy_harness.kube.schema import Node, Schemas, builtin
from koproxy_harness.kube.schema.definitions import read
from koproxy_harness.kube.schema.limits import broken, defaulted, without_nulls
from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.verbs.refusals import invalid

JSON, MERGE, STRATEGIC, APPLY = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
Object = dict[str, Any]

_ITEM = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "port": {"type": "integer", "default": 80},
        "size": {"type": "integer"},
    },
}
_SPEC = {
    "type": "object",
    "properties": {
        "size": {"type": "integer"},
        "whole": {
            "type": "object",
            "additionalProperties": {"type": "integer"},
            "x-kubernetes-map-type": "atomic",
        },
        "list": {"type": "array", "items": {"type": "string"}},
        "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "map": {
            "type": "array",
            "items": _ITEM,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name", "port"],
        },
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
_PROPERTIES = {"spec": _SPEC, "status": {"type": "object", "properties": {"ready": _SPEC}}}
DEFINITION: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.patches.example"},
    "spec": {
        "group": "patches.example",
        "scope": "Namespaced",
        "names": {"plural": "things", "singular": "thing", "kind": "Thing"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": _PROPERTIES}},
            }
        ],
    },
}
_KINDS = Kinds(builtin.kinds())
_CUSTOM = read(DEFINITION)
KINDS = {
    "ConfigMap": _KINDS.find("", "v1", "configmaps"),
    "Pod": _KINDS.find("", "v1", "pods"),
    "Service": _KINDS.find("", "v1", "services"),
    "Deployment": _KINDS.find("apps", "v1", "deployments"),
    "Thing": _CUSTOM.kinds[0],
}


@dataclass(frozen=True)
class Change:
    """One request: `how` is "create", "update", "delete" or a patch's content type.

    An update's body is a merge patch to what is there.
    """

    how: str
    body: Any = None
    manager: str = "me"
    force: bool = False
    subresource: str = ""


@dataclass
class Outcome:
    """What came of a change: the object without what only servers say of it, or a refusal."""

    made: Any = None
    managers: list[Any] = field(default_factory=list)
    refused: Any = None


class Sides:
    """Changes the object `a` of one kind, by both."""

    def __init__(self, real: Real, kind: str) -> None:
        found = KINDS[kind]
        assert found is not None
        self.kind: Kind = found
        self.custom = kind == "Thing"
        self.node: Node = _CUSTOM.nodes["v1"] if self.custom else Schemas().of(self.kind)
        self._real = real
        prefix = f"/apis/{self.kind.group}" if self.kind.group else "/api"
        self._all = f"{prefix}/{self.kind.version}/namespaces/default/{self.kind.plural}"

    def change(self, change: Change) -> tuple[Outcome, Outcome]:
        """Give what came of a change in the mock and in the real server."""
        code, old = self._real.ask("GET", f"{self._all}/a")
        there = old if code == 200 else None
        body = self._body(change, there)
        status, new = self._send(change, body)
        if change.how == "delete":
            return Outcome(), Outcome()
        real = Outcome(refused=_refused(status, new)) if status >= 400 else _outcome(new)
        if status in (404, 409) and new.get("reason") in ("NotFound", "AlreadyExists"):
            return real, real
        try:
            return self._pure(change, there, body, new, status < 400), real
        except Refusal as refusal:
            return Outcome(refused=_refused(refusal.code, refusal.body)), real

    def _body(self, change: Change, there: Object | None) -> bytes:
        body = change.body
        if isinstance(body, bytes):
            return body
        if change.how == "update" and there is not None:
            body = patches.patched(self.node, there, json.dumps(body).encode(), MERGE)
        elif change.how in ("create", APPLY):
            body = self.whole(body)
        return json.dumps(body).encode()

    def whole(self, body: Object) -> Object:
        """Give an object of the kind with these parts."""
        metadata = {"name": "a", **body.get("metadata", {})}
        version = self.kind.group_version
        return {"apiVersion": version, "kind": self.kind.name, **body, "metadata": metadata}

    def _send(self, change: Change, body: bytes) -> tuple[int, Object]:
        asked = {"fieldManager": change.manager, "fieldValidation": "Strict"}
        if change.force:
            asked["force"] = "true"
        below = f"/{change.subresource}" if change.subresource else ""
        place = f"{self._all}/a{below}?{urlencode(asked)}"
        match change.how:
            case "create":
                return self._real.ask("POST", f"{self._all}?{urlencode(asked)}", body)
            case "update":
                return self._real.ask("PUT", place, body)
            case "delete":
                return self._real.ask("DELETE", f"{self._all}/a?gracePeriodSeconds=0")
        return self._real.ask("PATCH", place, body, change.how)

    def _pure(
        self, change: Change, there: Object | None, body: bytes, new: Object, done: bool
    ) -> Outcome:
        if change.how == APPLY:
            made = patches.applied(
                *(self.node, self.kind, there, body, change.manager, change.force, _now(new)),
                change.subresource,
            )
            return self._as_served(_outcome(made), change)
        if change.how in ("create", "update"):
            made = json.loads(body)
        else:
            assert there is not None
            made = patches.patched(self.node, there, body, change.how, custom=self.custom)
        if not done:
            return self._as_served(Outcome(made), change)
        # Defaults are managed by who makes the server fill them in.
        given = made.get("metadata", {}).get("managedFields", ())
        kept = {key: each for key, each in new["metadata"].items() if key != "managedFields"}
        if given != ():
            kept["managedFields"] = given
        if self.kind.name == "Pod" and change.how == "create":
            # These are filled in when it is known already who has made what.
            late = ("priority", "preemptionPolicy", "tolerations")
            spec = {key: each for key, each in new["spec"].items() if key not in late}
            new = {**new, "spec": spec}
        tracked = patches.track(
            *(self.node, there, {**new, "metadata": kept}, change.manager, _now(new)),
            change.subresource,
        )
        return self._as_served(Outcome(_bare(made), _outcome(tracked).managers), change)

    def _as_served(self, outcome: Outcome, change: Change) -> Outcome:
        """Leave out what this request doesn't change, and fill in a custom kind's defaults."""
        made = dict(outcome.made)
        if change.subresource == "status":
            made = {"status": made.get("status", {})}
        else:
            made.pop("status", None)
        if self.custom:
            if change.how != APPLY:
                made = without_nulls(self.node, made)
            made = defaulted(self.node, made)
            causes = list(broken(self.node, made))
            if causes:
                raise invalid(self.kind, "a", causes)
        return Outcome(made, outcome.managers)


_SERVERS = (
    *("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "namespace"),
    "selfLink",
)


def _now(new: Object) -> str:
    """When the change was."""
    entries = new.get("metadata", {}).get("managedFields") or []
    return max((entry.get("time", "") for entry in entries), default="")


def _bare(made: Object) -> Object:
    metadata = {key: each for key, each in made["metadata"].items() if key not in _SERVERS}
    return {**made, "metadata": metadata}


def _outcome(made: Object) -> Outcome:
    entries = [
        {key: bool(each) if key == "time" else each for key, each in entry.items()}
        for entry in made["metadata"].get("managedFields") or []
    ]
    names = ("operation", "manager", "apiVersion", "subresource")
    entries.sort(key=lambda entry: [entry.get(name, "") for name in names])
    return Outcome(_bare(made), entries)


def _refused(code: int, status: Mapping[str, Any]) -> Any:
    """Lines and causes are in no order; what went wrong inside the real server has no reason.

    Of YAML that can't be read, each says something else.
    """
    details = status.get("details", {})
    causes = sorted(details.get("causes", []), key=lambda cause: sorted(cause.items()))
    reason, message = status.get("reason", "InternalError"), status["message"]
    message = re.sub(r"(?s)(error converting YAML to JSON): .*", r"\1", message)
    if len(causes) > 1 and reason == "Invalid":
        message = message.partition(" is invalid: ")[0]
    return code, reason, sorted(message.split("\n")), causes


def lacking(made: Any, real: Any, at: str = "", *, defaults: bool = False) -> list[str]:
    """Give where the mock has something else than the real server.

    `defaults`: what only the real server has are such. A null is what the type makes of it.
    """
    if made is None:
        return []
    if isinstance(made, dict) and isinstance(real, dict):
        found = [
            said
            for key, each in made.items()
            if key in real
            for said in lacking(each, real[key], f"{at}.{key}", defaults=defaults)
        ]
        found += [
            f"{at}.{key}: only in the mock"
            for key, each in made.items()
            if key not in real and each not in (None, {}, [])
        ]
        if not defaults:
            found += [f"{at}.{key}: not in the mock" for key in real if key not in made]
        return found
    if isinstance(made, list) and isinstance(real, list) and len(made) == len(real):
        return [
            said
            for number, (one, other) in enumerate(zip(made, real, strict=True))
            for said in lacking(one, other, f"{at}[{number}]", defaults=defaults)
        ]
    return [] if made == real else [f"{at}: the mock has {made}, the real server {real}"]


def differences(sides: Sides, change: Change) -> list[str]:
    """Give what is different after a change."""
    mock, real = sides.change(change)
    if mock.refused != real.refused:
        return [f"{change}\n  the mock refuses {mock.refused}\n  the real one {real.refused}"]
    if mock.refused or mock.made is None:
        return []
    seen = {key: each for key, each in real.made.items() if key in mock.made or key != "status"}
    if change.subresource == "status":
        seen = {"status": real.made.get("status", {})}
    plain = sides.custom or sides.kind.name == "ConfigMap"
    found = lacking(mock.made, seen, defaults=not plain)
    if mock.managers != real.managers:
        found.append(
            f"managers: the mock\n  {json.dumps(mock.managers)}\n  the real server\n"
            f"  {json.dumps(real.managers)}"
        )
    return [f"{change}: {each}" for each in found]


class Real:
    """A kube-apiserver, asked as its administrator."""

    def __init__(self, url: str, ca: str, token: str) -> None:
        context = ssl.create_default_context(cafile=ca)
        port = urlsplit(url).port
        self._connection = http.client.HTTPSConnection(
            "127.0.0.1", port, context=context, timeout=30
        )
        self._token = token

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        kind: str = "application/json",
        accept: str = "application/json",
    ) -> tuple[int, Object]:
        """Send one request, and give the status and the body of its answer."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind}
        headers["Accept"] = accept
        self._connection.request(method, target, body, headers)
        with self._connection.getresponse() as response:
            said = response.read()
            plain = "json" not in response.getheader("Content-Type", "")
            return response.status, {} if plain else json.loads(said)

    def close(self) -> None:
        self._connection.close()
