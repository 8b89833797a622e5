"""Answers to TokenRequests: `kubectl create token`.

https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from koproxy_harness.kube.access.aggregation import Object
from koproxy_harness.kube.access.authentication import AUDIENCES
from koproxy_harness.kube.access.invalid import invalid
from koproxy_harness.kube.access.rbac import Objects
from koproxy_harness.kube.access.service_account_tokens import BOUND, ServiceAccountTokens
from koproxy_harness.kube.quoting import quoted
from koproxy_harness.kube.request_info import RequestInfo
from koproxy_harness.kube.status import Refusal

_GROUP = "authentication.k8s.io"
_KIND = "TokenRequest"
_LIFETIME = 3600  # seconds, if the request doesn't say
_SHORTEST = 600
_LONGEST = 1 << 32


class TokenRequests:
    """Makes the tokens that are asked for."""

    def __init__(self, store: Objects, tokens: ServiceAccountTokens) -> None:
        self._store = store
        self._tokens = tokens

    def answer(self, info: RequestInfo, given: Object) -> Object:
        """Give the request `given` with its token.

        Raises `Refusal`: 404 for a service account or an object that isn't there, 409 for an
        object that is another now, 400 and 422 for a request without sense.
        """
        metadata = given.get("metadata") or {}
        if metadata.get("name") not in (None, "", info.name):
            why = "must match the service account name if specified"
            raise invalid(_GROUP, _KIND, info.name, ("metadata.name", metadata["name"], why))
        account = self._find("serviceaccounts", info.namespace, info.name)
        spec = given.get("spec") or {}
        lifetime = spec.get("expirationSeconds") or _LIFETIME
        audiences = spec.get("audiences") or list(AUDIENCES)
        if lifetime < _SHORTEST:
            why = "may not specify a duration less than 10 minutes"
            raise invalid(_GROUP, _KIND, "", ("spec.expirationSeconds", lifetime, why))
        if lifetime > _LONGEST:
            why = "may not specify a duration larger than 2^32 seconds"
            raise invalid(_GROUP, _KIND, "", ("spec.expirationSeconds", lifetime, why))
        reference = spec.get("boundObjectRef")
        bound = self._bound(info, reference) if reference else []
        now = self._tokens.now()
        token = self._tokens.issue(account, audiences, lifetime, bound)
        return {
            "kind": _KIND,
            "apiVersion": f"{_GROUP}/v1",
            "metadata": {
                "name": info.name,
                "namespace": info.namespace,
                "uid": account["metadata"]["uid"],
                "creationTimestamp": _time(now),
            },
            "spec": {
                "audiences": audiences,
                "expirationSeconds": lifetime,
                "boundObjectRef": reference,
            },
            "status": {"token": token, "expirationTimestamp": _time(now + lifetime)},
        }

    def _bound(self, info: RequestInfo, reference: dict[str, str]) -> list[tuple[str, Object]]:
        kind, version = reference.get("kind", ""), reference.get("apiVersion", "")
        if kind not in BOUND or version != "v1":
            group, _, number = version.rpartition("/")
            what = f"{group}/{number}, Kind={kind}"
            raise Refusal(400, f"cannot bind token to object of type {what}")
        claim, plural, namespaced = BOUND[kind]
        found = self._find(plural, info.namespace if namespaced else "", reference["name"])
        uid = found["metadata"]["uid"]
        if reference.get("uid") not in (None, "", uid):
            raise Refusal(
                409,
                f"Operation cannot be fulfilled on {kind} {quoted(reference['name'])}: the UID in "
                f"the bound object reference ({reference['uid']}) does not match the UID in "
                "record. The object might have been deleted and then recreated",
                details={"name": reference["name"], "kind": kind},
            )
        bound = [(claim, found)]
        if claim == "pod":
            spec = found.get("spec") or {}
            if spec.get("serviceAccountName", "default") != info.name:
                raise Refusal(
                    400,
                    f"cannot bind token for serviceaccount {quoted(info.name)} to pod running with "
                    "different serviceaccount name.",
                )
            if spec.get("nodeName"):
                node = self._store.find("", "nodes", "", spec["nodeName"])
                bound.append(("node", node or {"metadata": {"name": spec["nodeName"]}}))
        return bound

    def _find(self, plural: str, namespace: str, name: str) -> dict[str, Any]:
        found = self._store.find("", plural, namespace, name)
        if found is None:
            details = {"name": name, "kind": plural}
            raise Refusal(404, f"{plural} {quoted(name)} not found", details=details)
        return found


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
