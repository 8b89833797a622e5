"""Roles, bindings, users and requests as chance has them, from few words so that they meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

RBAC = "rbac.authorization.k8s.io"
NAMESPACES = ("shop", "lab")
USERS = ("jane", "bert", 'o"dd', "system:serviceaccount:shop:bot", "system:node:n1")
GROUPS = ("dev", "ops", "two words", "system:serviceaccounts:shop")

_GROUPS = ("", "apps", "*", "none.example")
_RESOURCES = ("pods", "pods/log", "pods/*", "configmaps", "deployments", "*", "*/log", "*/scale")
_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "*")
_NAMES = ("a", "b")
_URLS = ("/healthz", "/healthz/*", "/metrics", "/api", "/api*", "*", "/a/b**", "/debug/x")
_IMPERSONATED = (
    ("", ("users", "groups", "serviceaccounts", "*")),
    ("authentication.k8s.io", ("users", "groups", "uids", "userextras/team", "nodes", "*")),
    ("authentication.k8s.io", ("userextras/*", "userextras/scopes", "serviceaccounts", "uids")),
)
_IMPERSONATING = (
    "impersonate",
    "impersonate:user-info",
    "impersonate:serviceaccount",
    "impersonate:arbitrary-node",
)
_ON = ("user-info", "serviceaccount", "arbitrary-node")


class World:
    """What one seed gives."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self._name = f"w{seed}"

    def some(self, values: Sequence[str], most: int = 3) -> list[str]:
        """Give one to `most` of these values, each once."""
        return self.random.sample(values, self.random.randint(1, min(most, len(values))))

    def rule(self) -> dict[str, Any]:
        """Give a rule for resources, URLs or impersonation."""
        kind = self.random.random()
        if kind < 0.15:
            return {
                "nonResourceURLs": self.some(_URLS),
                "verbs": self.some(("get", "post", "*"), 2),
            }
        if kind < 0.45:
            return self._impersonation()
        rule: dict[str, Any] = {
            "apiGroups": self.some(_GROUPS, 2),
            "resources": self.some(_RESOURCES),
            "verbs": self.some(_VERBS),
        }
        if self.random.random() < 0.3:
            rule["resourceNames"] = self.some(_NAMES)
        return rule

    def _impersonation(self) -> dict[str, Any]:
        if self.random.random() < 0.4:
            verbs = [f"impersonate-on:{mode}:create" for mode in self.some(_ON)]
            return {
                "apiGroups": ["authentication.k8s.io"],
                "resources": ["selfsubjectreviews"],
                "verbs": verbs,
            }
        group, resources = self.random.choice(_IMPERSONATED)
        rule: dict[str, Any] = {
            "apiGroups": [group],
            "resources": self.some(resources),
            "verbs": self.some(_IMPERSONATING),
        }
        if self.random.random() < 0.3:
            rule["resourceNames"] = self.some((*USERS[:2], *GROUPS[:2], "bot", "n1", "*", "7"), 4)
        return rule

    def objects(self) -> Iterator[dict[str, Any]]:
        """Give roles, and bindings of which some have no role."""
        for number in range(8):
            name = f"{self._name}-{number}"
            rules = [self.rule() for _ in range(self.random.randint(0, 3))]
            yield self._object("ClusterRole", name, "", rules=rules)
            for namespace in NAMESPACES:
                mine = [rule for rule in (self.rule() for _ in range(2)) if "resources" in rule]
                yield self._object("Role", name, namespace, rules=mine)
        for number in range(8):
            name = f"{self._name}-{number}"
            yield self.binding("ClusterRoleBinding", name, "")
            for namespace in NAMESPACES:
                yield self.binding("RoleBinding", name, namespace)

    def binding(self, kind: str, name: str, namespace: str) -> dict[str, Any]:
        """Give a binding of a role to somebody."""
        roles = ["ClusterRole", "Role"] if namespace else ["ClusterRole"]
        # Of ten names two are no role's.
        role = f"{self._name}-{self.random.randrange(10)}"
        reference = {"apiGroup": RBAC, "kind": self.random.choice(roles), "name": role}
        subjects = [self._subject() for _ in range(self.random.randint(1, 2))]
        return self._object(kind, name, namespace, roleRef=reference, subjects=subjects)

    def _subject(self) -> dict[str, str]:
        match self.random.randrange(3):
            case 0:
                name = self.random.choice(USERS)
                return {"apiGroup": RBAC, "kind": "User", "name": name}
            case 1:
                name = self.random.choice(GROUPS)
                return {"apiGroup": RBAC, "kind": "Group", "name": name}
        namespace = self.random.choice(NAMESPACES)
        return {"kind": "ServiceAccount", "name": "bot", "namespace": namespace}

    def role(self, kind: str, namespace: str) -> dict[str, Any]:
        """Give a role that is nobody's yet."""
        rules = [self.rule() for _ in range(self.random.randint(0, 2))]
        kept = [rule for rule in rules if "resources" in rule] if namespace else rules
        made = self._object(kind, f"{self._name}-new", namespace, rules=kept)
        if kind == "ClusterRole" and self.random.random() < 0.2:
            selectors = [{"matchLabels": {"gathered": "yes"}}]
            made["aggregationRule"] = {"clusterRoleSelectors": selectors}
        return made

    @staticmethod
    def _object(kind: str, name: str, namespace: str, **fields: Any) -> dict[str, Any]:
        metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
        return {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata, **fields}

    def user(self) -> tuple[str, list[str]]:
        """Give a name and groups."""
        groups = [group for group in GROUPS if self.random.random() < 0.3]
        return self.random.choice((*USERS, "nobody")), groups

    def attributes(self) -> dict[str, Any]:
        """Give what the `spec` of an access review asks about."""
        choice = self.random.choice
        if self.random.random() < 0.25:
            urls = ("/healthz", "/healthz/x", "/metrics", "/api", "/apis", "/a/b", "/a/bc", "/x")
            return {
                "nonResourceAttributes": {"path": choice(urls), "verb": choice(("get", "post"))}
            }
        asked = {
            "verb": choice(_VERBS),
            "group": choice(("", "apps", "other.example")),
            "resource": choice(("pods", "configmaps", "deployments", "*")),
            "subresource": choice(("", "", "log", "scale")),
            "name": choice(("", "a", "b", "c")),
            "namespace": choice(("", *NAMESPACES, "elsewhere")),
        }
        return {"resourceAttributes": {key: value for key, value in asked.items() if value}}

    def request(self) -> tuple[str, str]:
        """Give a method and a target, of every form that a path may have."""
        choice = self.random.choice
        method = choice(("GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"))
        if self.random.random() < 0.2:
            urls = (
                "/healthz",
                "/healthz/x",
                "/metrics",
                "/api",
                "/apis/apps",
                "/a/b",
                "/a//b/",
                "/",
            )
            return method, choice(urls)
        prefix = choice(("/api/v1", "/api/v1", "/apis/apps/v1", "/apis/none.example/v2"))
        place = choice(("", "", "/watch", "/proxy")) if self.random.random() < 0.2 else ""
        namespace = choice(("", "/namespaces/shop", "/namespaces/lab", "/namespaces/a"))
        resources = ("pods", "configmaps", "deployments", "namespaces", "status", "finalize")
        resource = choice(resources)
        rest = choice(("", "", "/a", "/b", "/a/log", "/a/status", "/a/scale/x/y", "//log", "/a/"))
        query = ""
        if method == "GET":
            query = choice(
                (
                    "",
                    "?watch=false",
                    "?watch=1&timeoutSeconds=1",
                    "?watch=&timeoutSeconds=1",
                    "?fieldSelector=metadata.name%3Da",
                    "?fieldSelector=metadata.name%3D%3Da,x!%3Dy&watch=true&timeoutSeconds=1",
                    "?fieldSelector=metadata.name!%3Da",
                    "?fieldSelector=metadata.name%3Da&limit=x",
                    "?fieldSelector=metadata.name%3D..",
                    "?fieldSelector=metadata.name%3Da%5C%2Cb",
                    "?fieldSelector=metadata.name%3Da%5Cb",
                    "?fieldSelector=metadata.name",
                )
            )
        elif method != "HEAD":
            query = "?dryRun=All"
        return method, f"{prefix}{place}{namespace}/{resource}{rest}{query}"

    def impersonation(self) -> list[tuple[str, str]]:
        """Give fields that ask to act as somebody; sometimes there is no user among them."""
        chance, choice = self.random.random, self.random.choice
        users = (
            *USERS[:2],
            *USERS[3:],
            "system:anonymous",
            "system:node:N",
            "system:serviceaccount:x",
        )
        fields = []
        if chance() < 0.93:
            fields.append(("Impersonate-User", choice(users)))
        known = (*GROUPS, "system:authenticated", "system:unauthenticated", "system:masters", "")
        if chance() < 0.5:
            fields += [("Impersonate-Group", group) for group in self.some(known, 5)]
        if chance() < 0.2:
            fields.append(("impersonate-uid", choice(("7", "8"))))
        if chance() < 0.25:
            key = choice(("Team", "scopes", "example.org%2fteam", "bad%zz", "Example.org%2FTeam"))
            values = ("a", "b", "1", "2", "3")
            fields += [(f"Impersonate-Extra-{key}", value) for value in self.some(values, 5)]
        return fields
