"""--allow-inbound-impersonation: `kubectl --as` through koproxy is allowed what it is allowed
without koproxy, and leaves the same person; who asked is in extra fields besides.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest
from e2e.differential.judge import PATH as WHO
from e2e.running import Koproxy, KoproxyStarter, Side
from e2e.trusting import Trusting
from localcluster.cluster import NAMESPACE
from localcluster.processes import wait_until

GROUP = "rbac.authorization.k8s.io"
REVIEW = b'{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'
ORIGINAL = "originaluser.jetstack.io-"
ROBOT = f"system:serviceaccount:{NAMESPACE}:robot"
FLAGS = {
    "a user": ["--as=lisa"],
    "a group": ["--as=lisa", "--as-group=dev"],
    "a group twice": ["--as=lisa", "--as-group=dev", "--as-group=dev"],
    "groups": ["--as=lisa", "--as-group=dev", "--as-group=more, of them"],
    "a uid": ["--as=lisa", "--as-uid=7"],
    "an extra field": ["--as=lisa", "--as-user-extra=team=red"],
    "values of an extra field": ["--as=lisa", *(f"--as-user-extra=team={n}" for n in ("red", "é"))],
    "a key with a slash": ["--as=lisa", "--as-user-extra=example.org/team=red"],
    "a key with capitals": ["--as=lisa", "--as-user-extra=Team=red"],
    "a key with blanks": ["--as=lisa", "--as-user-extra=a team=red"],
    "all": ["--as=lisa", "--as-group=dev", "--as-uid=7", "--as-user-extra=team=red"],
    "everybody's group": ["--as=lisa", "--as-group=dev", "--as-group=system:authenticated"],
    "a service account": [f"--as={ROBOT}"],
    "a service account with a group": [f"--as={ROBOT}", "--as-group=dev"],
    "not quite a service account": [f"--as={ROBOT}:more"],
    "no service account for its capitals": [f"--as=system:serviceaccount:{NAMESPACE}:Robot"],
    "a name beyond ASCII": ["--as=lisá"],
    "oneself": ["--as=max"],
    "another user": ["--as=root"],
    "another group": ["--as=lisa", "--as-group=dev", "--as-group=ops"],
    "masters": ["--as=lisa", "--as-group=system:masters"],
    "another uid": ["--as=lisa", "--as-uid=8"],
    "another value": ["--as=lisa", "--as-user-extra=team=red", "--as-user-extra=team=blue"],
    "another key": ["--as=lisa", "--as-user-extra=teams=red"],
    "another service account": [f"--as=system:serviceaccount:{NAMESPACE}:driver"],
    "another namespace": ["--as=system:serviceaccount:kube-system:robot"],
    "a node": ["--as=system:node:one"],
    "a controller": ["--as=system:kube-controller-manager"],
}
ALLOWED_TO_MAX = 17
NOBODY = [["--as=system:anonymous"], ["--as=lisa", "--as-group=system:unauthenticated"]]
PEOPLE: dict[str, dict[str, Any]] = {
    "max": {"uid": "id-of-max", "team": "blue"},
    "one of the helpers": {"groups": ["helpers", "dev"]},
    "somebody": {},
    "administrator": {"groups": ["root"], "uid": "0"},
}


def rule(group: str, resources: list[str], names: list[str]) -> dict[str, Any]:
    allowed = {"apiGroups": [group], "resources": resources, "verbs": ["impersonate"]}
    return {**allowed, "resourceNames": names} if names else allowed


def granted(
    name: str, rules: list[dict[str, Any]], subjects: list[tuple[str, str]], namespace: str = ""
) -> Iterator[dict[str, Any]]:
    """A role and its binding, of the whole cluster or of one namespace."""
    kind = "Role" if namespace else "ClusterRole"
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    head = {"apiVersion": f"{GROUP}/v1", "metadata": metadata}
    yield {**head, "kind": kind, "rules": rules}
    yield {
        **head,
        "kind": f"{kind}Binding",
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": name},
        "subjects": [{"apiGroup": GROUP, "kind": kind, "name": who} for kind, who in subjects],
    }


@pytest.fixture(scope="module")
def impersonating(trusting: Trusting, start_koproxy: KoproxyStarter) -> Iterator[Koproxy]:
    authentication = "authentication.k8s.io"
    extras = [
        rule(authentication, [f"userextras/{key}"], values)
        for key, values in {
            "team": ["red", "é"],
            "example.org/team": ["red"],
            "a team": ["red"],
        }.items()
    ]
    trusting.api.admin.apply(
        *granted(
            "parts",
            [
                rule("", ["users"], ["lisa", "lisá", "system:anonymous", f"{ROBOT}:more"]),
                rule("", ["users"], [f"system:serviceaccount:{NAMESPACE}:Robot"]),
                rule("", ["groups"], ["dev", "more, of them", "system:authenticated"]),
                rule("", ["groups"], ["system:unauthenticated"]),
                rule(authentication, ["uids"], ["7"]),
                *extras,
            ],
            [("User", "max")],
        ),
        *granted("robot", [rule("", ["serviceaccounts"], ["robot"])], [("User", "max")], NAMESPACE),
        *granted("help", [rule("", ["users"], ["lisa"])], [("Group", "helpers")]),
    )
    admin = trusting.api.admin
    admin("create", "clusterrolebinding", "root", "--clusterrole=cluster-admin", "--group=root")
    for name, flags in (
        ("max", [f"--as={ROBOT}"]),
        ("one of the helpers", ["--as=lisa"]),
        ("administrator", ["--as=anybody"]),
    ):
        kubectl = trusting.kubectl(token_of(trusting, name), "first")
        wait_until(lambda k=kubectl, f=flags: k.run("auth", "whoami", *f).returncode == 0, name)  # type: ignore[misc]
    koproxy = start_koproxy.with_file(
        "koproxy-impersonating",
        trusting.kubeconfig,
        trusting.file,
        ["--allow-inbound-impersonation"],
    )
    yield koproxy.wait_until_ready()
    koproxy.server.stop()


def token_of(trusting: Trusting, name: str) -> str:
    return trusting.token(name, **PEOPLE[name])


def original(name: str) -> dict[str, list[str]]:
    """The extra fields by which it is known who asked."""
    person = PEOPLE[name]
    fields = {"user": [name], "groups": person.get("groups", [])}
    fields["uid"] = [person["uid"]] if "uid" in person else []
    fields["extra"] = (
        [json.dumps({"example.org/team": [person["team"]]}, separators=(",", ":"))]
        if "team" in person
        else []
    )
    return {ORIGINAL + part: values for part, values in fields.items() if values}


@pytest.mark.parametrize("name", PEOPLE)
def test_the_same_is_allowed_and_makes_the_same_person(
    trusting: Trusting, impersonating: Koproxy, name: str
) -> None:
    token = token_of(trusting, name)
    direct, through = trusting.kubectl(token, "case"), impersonating.kubectl(token, "case")
    command = ("create", "--raw", WHO, "-f", "-")
    counts = {True: 0, False: 0}
    for case, flags in FLAGS.items():
        there, here = (each.run(*command, *flags, stdin=REVIEW) for each in (direct, through))
        allowed = there.returncode == 0
        assert (here.returncode == 0) == allowed, (case, there.stderr, here.stderr)
        counts[allowed] += 1
        if allowed:
            expected = json.loads(there.stdout)["status"]["userInfo"]
            expected["extra"] = expected.get("extra", {}) | original(name)
            assert json.loads(here.stdout)["status"]["userInfo"] == expected, case
        else:
            assert b"Error from server (Forbidden)" in there.stderr, (case, there.stderr)
            assert b"Error from server (Forbidden)" in here.stderr, (case, here.stderr)
    assert (
        counts[True]
        == {
            "max": ALLOWED_TO_MAX,
            "one of the helpers": 1,
            "somebody": 0,
            "administrator": len(FLAGS),
        }[name]
    ), counts


def test_the_rights_are_those_of_who_is_asked_for(
    trusting: Trusting, impersonating: Koproxy
) -> None:
    admin = trusting.api.admin
    where = f"--namespace={NAMESPACE}"
    admin(
        *("create", "rolebinding", "of-lisa", where, "--clusterrole=cluster-admin"),
        "--user=lisa",
    )
    token = token_of(trusting, "max")
    direct, through = trusting.kubectl(token, "max"), impersonating.kubectl(token, "max")
    wait_until(
        lambda: direct.run("get", "configmaps", where, "--as=lisa").returncode == 0, "it is bound"
    )
    assert through.run("get", "configmaps", where, "--as=lisa").returncode == 0
    through("create", "configmap", "lisas", where, "--as=lisa")
    assert direct("get", "configmap", "lisas", where, "--as=lisa", "-o", "name")
    for flags, user in (([], "max"), ([f"--as={ROBOT}"], ROBOT)):
        ways = [each.run("get", "configmaps", where, *flags) for each in (direct, through)]
        assert ways[0].stderr == ways[1].stderr
        assert f'User "{user}" cannot list resource "configmaps"' in ways[1].stderr.decode()


@pytest.mark.parametrize("flags", NOBODY)
def test_somebody_may_be_nobody(
    trusting: Trusting, impersonating: Koproxy, flags: list[str]
) -> None:
    # The API server says nothing to nobody about who they are, and little else.
    for name, seen in (("max", True), ("administrator", True), ("somebody", False)):
        token = token_of(trusting, name)
        for kubectl in (trusting.kubectl(token, "nobody"), impersonating.kubectl(token, "nobody")):
            version = kubectl.run("get", "--raw", "/version", *flags)
            assert (version.returncode == 0) == seen, version.stderr
            refused = kubectl.run("create", "--raw", WHO, "-f", "-", *flags, stdin=REVIEW)
            assert refused.returncode == 1
            cannot = b"cannot create resource" if seen else b"cannot impersonate"
            assert cannot in refused.stderr


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"Impersonate-Group": "dev"}, 400),
        ({"Impersonate-Uid": "7"}, 400),
        ({"Impersonate-Extra-Team": "red"}, 400),
        ({"Impersonate-User": "lisa", "Impersonate-Group": "ops"}, 403),
        ({"impersonate-user": "lisa"}, 201),
        ({"Impersonate-User": "lisa", "IMPERSONATE-EXTRA-TEAM": "red"}, 201),
    ],
)
def test_headers_that_no_kubectl_sends(
    trusting: Trusting, impersonating: Koproxy, fields: dict[str, str], status: int
) -> None:
    token = token_of(trusting, "max")
    for side in (
        Side(trusting.api.url, trusting.api.ca, token),
        Side(impersonating.url, impersonating.ca, token),
    ):
        with side.ask(WHO, method="POST", body=REVIEW, fields=fields) as answer:
            assert (answer.status, kind(answer)) == (
                status,
                "SelfSubjectReview" if status == 201 else "Status",
            ), side.url


def kind(answer: http.client.HTTPResponse) -> str:
    return str(json.loads(answer.read())["kind"])


def test_nobody_gives_the_fields_that_say_who_asked(
    trusting: Trusting, impersonating: Koproxy
) -> None:
    kubectl = impersonating.kubectl(token_of(trusting, "administrator"), "forger")
    for key in (f"{ORIGINAL}user", f"{ORIGINAL}Groups"):
        command = ("create", "--raw", WHO, "-f", "-", "--as=lisa", f"--as-user-extra={key}=max")
        refused = kubectl.run(*command, stdin=REVIEW)
        assert refused.returncode == 1
        assert "is the proxy's to give" in refused.stderr.decode()


def test_a_right_that_is_taken_away_is_gone_soon(
    trusting: Trusting, impersonating: Koproxy
) -> None:
    admin = trusting.api.admin
    admin.apply(*granted("brief", [rule("", ["users"], ["lisa"])], [("User", "guest")]))
    token = trusting.token("guest")

    def statuses() -> list[int]:
        found = []
        for url, ca in (
            (trusting.api.url, trusting.api.ca),
            (impersonating.url, impersonating.ca),
        ):
            with Side(url, ca, token).ask(
                WHO, method="POST", body=REVIEW, fields={"Impersonate-User": "lisa"}
            ) as answer:
                found.append(answer.status)
        return found

    wait_until(lambda: statuses() == [201, 201], "the right is seen", seconds=10)
    admin("delete", "clusterrolebinding", "brief")
    wait_until(lambda: statuses() == [403, 403], "the right is gone", seconds=20)


def test_rights_for_some_verbs_alone_are_not_enough_here(
    trusting: Trusting, impersonating: Koproxy
) -> None:
    """Kubernetes 1.36 knows rights like `impersonate:user-info` for what is done then.

    koproxy asks about `impersonate` alone, and so is the stricter one.
    """
    api = "authentication.k8s.io"
    may_be = {**rule(api, ["users"], ["lisa"]), "verbs": ["impersonate:user-info"]}
    while_creating = {
        **rule(api, ["selfsubjectreviews"], []),
        "verbs": ["impersonate-on:user-info:create"],
    }
    trusting.api.admin.apply(*granted("some", [may_be, while_creating], [("User", "reviewer")]))
    token = trusting.token("reviewer")
    direct, through = trusting.kubectl(token, "some"), impersonating.kubectl(token, "some")
    command = ("create", "--raw", WHO, "-f", "-", "--as=lisa")
    wait_until(lambda: direct.run(*command, stdin=REVIEW).returncode == 0, "the right is seen")
    refused = through.run(*command, stdin=REVIEW)
    assert refused.returncode == 1
    assert refused.stderr.decode() == (
        'Error from server (Forbidden): users "lisa" is forbidden: User "reviewer" cannot '
        'impersonate resource "users" in API group "" at the cluster scope\n'
    )


def test_without_the_option_it_is_refused_as_ever(
    trusting: Trusting, start_koproxy: KoproxyStarter
) -> None:
    koproxy = start_koproxy.with_file(
        "koproxy-refusing-impersonation", trusting.kubeconfig, trusting.file
    ).wait_until_ready()
    kubectl = koproxy.kubectl(token_of(trusting, "administrator"), "administrator")
    for case, flags in FLAGS.items():
        refused = kubectl.run("create", "--raw", WHO, "-f", "-", *flags, stdin=REVIEW)
        assert refused.returncode == 1, case
        assert refused.stderr.decode() == (
            "Error from server (Forbidden): "
            "Impersonation requests are disabled when using kube-oidc-proxy\n"
        ), case
    koproxy.server.stop()
