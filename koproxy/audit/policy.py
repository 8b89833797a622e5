"""An audit policy: which requests there are events of, and at which stages. Pure.

Follows ``audit.k8s.io/v1`` Policy ("Auditing" in the Kubernetes documentation) and reads it as
strictly as any file: where kube-apiserver only warns of a field that it doesn't know, and audits
something else than was meant, this refuses it.

koproxy passes bodies on and keeps none. So the levels ``Request`` and ``RequestResponse`` give
events like ``Metadata``, and say so; to have managed fields left out of the objects in them, with
``omitManagedFields``, is refused, since there are no such objects.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from koproxy.configuration.decoding import Schema, decode
from koproxy.configuration.problems import Problem, invalid, refusal, required, with_line
from koproxy.kubernetes_request import RequestInfo

STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
LEVELS = ("None", "Metadata", "Request", "RequestResponse")
_WITH_BODIES = frozenset({"Request", "RequestResponse"})
_FLAG = "--audit-policy-file"
_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LONGEST_SUBDOMAIN = 253


@dataclass(frozen=True, slots=True)
class Resources:
    """One of a rule's ``resources``: those of a group, all of them if none are named."""

    group: str = ""
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = field(default=(), metadata={"name": "resourceNames"})

    def match(self, info: RequestInfo) -> bool:
        """Whether a request is about one of these."""
        if self.group not in (info.api_group, "*"):
            return False
        if not self.resources:
            return True
        if self.resource_names and info.name not in self.resource_names:
            return False
        whole = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
        wanted = {whole, "*", f"{info.resource}/*"}
        if info.subresource:
            wanted.add(f"*/{info.subresource}")
        return not wanted.isdisjoint(self.resources)


@dataclass(frozen=True, slots=True)
class Rule:
    """One of the ``rules``: whom and what it is about, all of it where nothing is said."""

    level: str = ""
    users: tuple[str, ...] = ()
    user_groups: tuple[str, ...] = field(default=(), metadata={"name": "userGroups"})
    verbs: tuple[str, ...] = ()
    resources: tuple[Resources, ...] = ()
    namespaces: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = field(default=(), metadata={"name": "nonResourceURLs"})
    omit_stages: tuple[str, ...] = field(default=(), metadata={"name": "omitStages"})
    omit_managed_fields: bool | None = field(default=None, metadata={"name": "omitManagedFields"})

    def match(self, user: str, groups: tuple[str, ...], info: RequestInfo) -> bool:
        """Whether a request of somebody's is one that the rule is about."""
        if self.users and user not in self.users:
            return False
        if self.user_groups and set(groups).isdisjoint(self.user_groups):
            return False
        if self.verbs and info.verb not in self.verbs:
            return False
        if self.namespaces or self.resources:
            return (
                info.is_resource
                and (not self.namespaces or info.namespace in self.namespaces)
                and (not self.resources or any(each.match(info) for each in self.resources))
            )
        if self.non_resource_urls:
            return not info.is_resource and any(
                _matches(each, info.path) for each in self.non_resource_urls
            )
        return True


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole file."""

    metadata: object = None
    rules: tuple[Rule, ...] = ()
    omit_stages: tuple[str, ...] = field(default=(), metadata={"name": "omitStages"})
    omit_managed_fields: bool = field(default=False, metadata={"name": "omitManagedFields"})

    def stages(self, user: str, groups: tuple[str, ...], info: RequestInfo) -> frozenset[str]:
        """Give the stages of which there are events: those of the first rule that matches."""
        for rule in self.rules:
            if rule.match(user, groups, info):
                if rule.level == "None":
                    return frozenset()
                return frozenset(STAGES).difference(self.omit_stages, rule.omit_stages)
        return frozenset()

    @property
    def wants_bodies(self) -> bool:
        """Whether a rule asks for more than there will be."""
        return any(rule.level in _WITH_BODIES for rule in self.rules)


SCHEMA = Schema("Policy", ("audit.k8s.io/v1",), Policy)


def read_policy(content: bytes, file: str) -> Policy:
    """Read what is in ``file``; raises ConfigurationError with everything that is wrong with it."""
    where = f"{_FLAG} {file}"
    decoded = decode(content, SCHEMA)
    if decoded.configuration is None:
        raise refusal(where, decoded.problems)
    problems = [with_line(each, decoded.lines) for each in _problems(decoded.configuration)]
    if problems:
        raise refusal(where, problems)
    return decoded.configuration


def _problems(policy: Policy) -> Iterator[Problem]:
    if not policy.rules:
        yield required("rules", "a policy without rules says nothing")
    yield from _wrong_stages(policy.omit_stages, "omitStages")
    for at, rule in enumerate(policy.rules):
        path = f"rules[{at}]"
        if not rule.level:
            yield required(f"{path}.level")
        elif rule.level not in LEVELS:
            yield invalid(f"{path}.level", rule.level, f"it has to be one of {', '.join(LEVELS)}")
        yield from _wrong_urls(rule, path)
        for number, each in enumerate(rule.resources):
            yield from _wrong_resources(each, f"{path}.resources[{number}]")
        yield from _wrong_stages(rule.omit_stages, f"{path}.omitStages")
        omits = rule.omit_managed_fields
        if rule.level in _WITH_BODIES and (policy.omit_managed_fields if omits is None else omits):
            yield Problem(
                path if omits is None else f"{path}.omitManagedFields",
                f"at level {rule.level} koproxy can't leave managed fields out of objects, since it"
                " keeps none: give the rule the level Metadata, or leave omitManagedFields out",
            )


def _wrong_urls(rule: Rule, path: str) -> Iterator[Problem]:
    path = f"{path}.nonResourceURLs"
    for at, url in enumerate(rule.non_resource_urls):
        if url == "*":
            continue
        if not url.startswith("/"):
            yield invalid(f"{path}[{at}]", url, "it has to begin with a '/'")
        if "*" in url[:-1]:
            yield invalid(f"{path}[{at}]", url, "'*' can only be its last character")
    if rule.non_resource_urls and (rule.resources or rule.namespaces):
        yield Problem(path, "a rule is either about these or about resources and namespaces")


def _wrong_resources(given: Resources, path: str) -> Iterator[Problem]:
    group = given.group
    named = len(group) <= _LONGEST_SUBDOMAIN and _SUBDOMAIN.fullmatch(group)
    if group not in ("", "*") and not named:
        yield invalid(f"{path}.group", group, "a group's name is a domain, without a version")
    if given.resource_names and not given.resources:
        yield Problem(f"{path}.resourceNames", "names need at least one of resources")


def _wrong_stages(stages: tuple[str, ...], path: str) -> Iterator[Problem]:
    for at, stage in enumerate(stages):
        if stage not in STAGES:
            yield invalid(f"{path}[{at}]", stage, f"it has to be one of {', '.join(STAGES)}")


def _matches(pattern: str, path: str) -> bool:
    if pattern in ("*", path):
        return True
    return pattern.endswith("*") and path.startswith(pattern.rstrip("*"))
