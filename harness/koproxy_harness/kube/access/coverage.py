"""Whether some rules give no more than others, and what more they would give.

Pure. Rules are taken apart into ones with a single verb, resource and name each, and each of
those has to be covered by one rule alone, as in Kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from koproxy_harness.kube.access.rules import ALL, Rule
from koproxy_harness.kube.quoting import quoted_list

_FIELDS = {
    "apiGroups": "APIGroups",
    "resources": "Resources",
    "nonResourceURLs": "NonResourceURLs",
    "resourceNames": "ResourceNames",
    "verbs": "Verbs",
}


def uncovered(owned: Sequence[Rule], given: Iterable[Rule]) -> list[Rule]:
    """Give the parts of the rules in `given` that no rule in `owned` has."""
    parts = (part for rule in given for part in _parts(rule))
    return [part for part in parts if not any(_covers(rule, part) for rule in owned)]


def described(missing: Iterable[Rule]) -> list[str]:
    """Give the lines in which the API server says what is missing, in order."""
    lines = {_described(rule) for rule in _compacted(missing)}
    return sorted(lines)


def _parts(rule: Rule) -> Iterator[Rule]:
    verbs = rule.get("verbs") or ()
    places = product(rule.get("apiGroups") or (), rule.get("resources") or (), verbs)
    for group, resource, verb in places:
        part = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
        names = rule.get("resourceNames")
        if names:
            yield from ({**part, "resourceNames": [name]} for name in names)
        else:
            yield part
    for url, verb in product(rule.get("nonResourceURLs") or (), verbs):
        yield {"nonResourceURLs": [url], "verbs": [verb]}


def _covers(owned: Rule, part: Rule) -> bool:
    """Whether a rule has all of another, which is one of `_parts`."""
    names = owned.get("resourceNames") or ()
    return (
        _has(owned, part, "verbs")
        and _has(owned, part, "apiGroups")
        and all(
            _has_resource(owned.get("resources") or (), each) for each in _of(part, "resources")
        )
        and all(_has_url(owned, url) for url in _of(part, "nonResourceURLs"))
        and (not names or (bool(_of(part, "resourceNames")) and _has(owned, part, "resourceNames")))
    )


def _of(rule: Rule, field: str) -> list[str]:
    return rule.get(field) or []


def _has(owned: Rule, part: Rule, field: str) -> bool:
    values = _of(owned, field)
    if field != "resourceNames" and ALL in values:
        return True
    return all(value in values for value in _of(part, field))


def _has_resource(owned: Sequence[str], resource: str) -> bool:
    if ALL in owned or resource in owned:
        return True
    _, slash, subresource = resource.partition("/")
    return bool(slash) and f"*/{subresource}" in owned


def _has_url(owned: Rule, url: str) -> bool:
    return any(
        url == each or (each.endswith(ALL) and url.startswith(each.rstrip(ALL)))
        for each in _of(owned, "nonResourceURLs")
    )


def _compacted(rules: Iterable[Rule]) -> list[Rule]:
    """Put rules that differ in their verb only together; the verbs stay in their order."""
    others: list[Rule] = []
    simple: dict[tuple[str, str, str | None], Rule] = {}
    for rule in rules:
        if "nonResourceURLs" in rule:
            others.append(rule)
            continue
        names = rule.get("resourceNames")
        key = (rule["apiGroups"][0], rule["resources"][0], names[0] if names else None)
        if key in simple:
            simple[key]["verbs"] += rule["verbs"]
        else:
            simple[key] = {**rule, "verbs": list(rule["verbs"])}
    return [*others, *simple.values()]


def _described(rule: Rule) -> str:
    fields = (
        f"{name}:{quoted_list(rule[field])}" for field, name in _FIELDS.items() if rule.get(field)
    )
    return f"{{{', '.join(fields)}}}"
