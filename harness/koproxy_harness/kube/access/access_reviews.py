"""Answers to the reviews of rights.

Pure.
https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/
"""

from __future__ import annotations

from typing import Any

from koproxy_harness.kube.access.aggregation import Object
from koproxy_harness.kube.access.invalid import Wrong, invalid
from koproxy_harness.kube.access.rbac import Rbac
from koproxy_harness.kube.access.rules import Rule
from koproxy_harness.kube.access.users import User, extra
from koproxy_harness.kube.request_info import RequestInfo
from koproxy_harness.kube.status import Refusal, together

_GROUP = "authorization.k8s.io"
_ONE_OF_TWO = "exactly one of nonResourceAttributes or resourceAttributes must be specified"


class AccessReviews:
    """Answers by the rules of one server; `given` is the review that was sent."""

    def __init__(self, rbac: Rbac) -> None:
        self._rbac = rbac

    def own(self, user: User, info: RequestInfo, given: Object) -> Object:
        """SelfSubjectAccessReview: may who asks do this?"""
        spec = given.get("spec") or {}
        _confirm(*_attributes_wrong(spec), *_metadata_wrong(given))
        return self._decided(user, spec, given)

    def others(self, user: User, info: RequestInfo, given: Object) -> Object:
        """SubjectAccessReview: may somebody do this?"""
        spec = given.get("spec") or {}
        _confirm(*_attributes_wrong(spec), *_subject_wrong(spec), *_metadata_wrong(given))
        return self._decided(_subject(spec), spec, given)

    def local(self, user: User, info: RequestInfo, given: Object) -> Object:
        """LocalSubjectAccessReview: may somebody do this in the namespace of the review?"""
        spec = given.get("spec") or {}
        metadata = _said(given)
        metadata.pop("namespace", None)
        wrong = [*_attributes_wrong(spec), *_subject_wrong(spec)]
        if metadata:
            wrong.append(("metadata", metadata, "must be empty except for namespace"))
        resource = spec.get("resourceAttributes")
        if resource is not None and (place := resource.get("namespace", "")) != info.namespace:
            field = "spec.resourceAttributes.namespace"
            wrong.append((field, place, "must match metadata.namespace"))
        other = spec.get("nonResourceAttributes")
        if other is not None:
            field = "spec.nonResourceAttributes"
            wrong.append((field, other, "disallowed on this kind of request"))
        _confirm(*wrong)
        return self._decided(_subject(spec), spec, given)

    def rules(self, user: User, info: RequestInfo, given: Object) -> Object:
        """SelfSubjectRulesReview: what may who asks do in a namespace?"""
        namespace = (given.get("spec") or {}).get("namespace")
        if not namespace:
            raise Refusal(400, "no namespace on request")
        rules, lost = self._rbac.rules(user, namespace)
        fields = ("verbs", "apiGroups", "resources", "resourceNames")
        status: dict[str, Any] = {
            "resourceRules": [_only(rule, fields) for rule in rules if rule.get("resources")],
            "nonResourceRules": [
                _only(rule, ("verbs", "nonResourceURLs"))
                for rule in rules
                if rule.get("nonResourceURLs")
            ],
            "incomplete": False,
        }
        if lost:
            status["evaluationError"] = together([each.message for each in lost])
        return {
            "kind": given["kind"],
            "apiVersion": given["apiVersion"],
            "metadata": {},
            "spec": {},
            "status": status,
        }

    def _decided(self, user: User, spec: Object, given: Object) -> Object:
        decision = self._rbac.allowed(user, _asked(spec))
        status: dict[str, Any] = {"allowed": decision.allowed}
        if decision.reason:
            status["reason"] = decision.reason
        return {**given, "status": status}


def _asked(spec: Object) -> RequestInfo:
    resource = spec.get("resourceAttributes")
    if resource is None:
        other = spec["nonResourceAttributes"]
        return RequestInfo(other.get("verb", ""), other.get("path", ""))
    return RequestInfo(
        resource.get("verb", ""),
        "",
        True,
        resource.get("group", ""),
        resource.get("version", ""),
        resource.get("namespace", ""),
        resource.get("resource", ""),
        resource.get("subresource", ""),
        resource.get("name", ""),
    )


def _subject(spec: Object) -> User:
    values = {key: tuple(each) for key, each in (spec.get("extra") or {}).items()}
    groups = tuple(spec.get("groups") or ())
    return User(spec.get("user", ""), groups, spec.get("uid", ""), extra(values))


def _confirm(*wrong: Wrong) -> None:
    if wrong:
        # The API server doesn't say the kind here.
        raise invalid(_GROUP, "", "", *wrong)


def _attributes_wrong(spec: Object) -> list[Wrong]:
    resource, other = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is None and other is None:
        return [("spec.resourceAttributes", None, _ONE_OF_TWO)]
    if resource is not None and other is not None:
        why = "cannot be specified in combination with resourceAttributes"
        return [("spec.nonResourceAttributes", other, why)]
    return []


def _subject_wrong(spec: Object) -> list[Wrong]:
    if spec.get("user") or spec.get("groups"):
        return []
    return [("spec.user", "", "at least one of user or group must be specified")]


def _metadata_wrong(given: Object) -> list[Wrong]:
    metadata = _said(given)
    return [("metadata", metadata, "must be empty")] if metadata else []


def _said(given: Object) -> Object:
    """Give what a review's metadata say, without what clients write for nothing."""
    metadata = given.get("metadata") or {}
    return {key: value for key, value in metadata.items() if value and key != "managedFields"}


def _only(rule: Rule, fields: tuple[str, ...]) -> Rule:
    return {field: rule[field] for field in fields if rule.get(field)}
