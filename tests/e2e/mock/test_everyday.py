"""kubectl's everyday commands do the same with the mock as with a real kube-apiserver.

The same stories are told to both; the exit status of each command has to be the same, and what it
prints, but for what no two servers have in common: UIDs, versions, times and addresses.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from e2e.mock.stories import STORIES, Step
from koproxy_harness import KubeAPI
from localcluster.apiserver import ApiServer, start_api_server, start_etcd
from localcluster.kubectl import Kubectl
from localcluster.pki import Authority
from localcluster.processes import Processes

_UNLIKE = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000"), "TIME"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC"), "TIME"),
    (re.compile(r"resourceVersion[\\\"]*: ?[\\\"]*\d+[\\\"]*"), "resourceVersion: N"),
    (re.compile(r"https://127\.0\.0\.1:\d+"), "SERVER"),
    (re.compile(r"/tmp/\S+"), "FILE"),
    # The last column of a table, an age, and the blanks before it, which depend on its length.
    (re.compile(r"(?m) +(\d+[smhd])+$"), " AGE"),
    (re.compile(r"(?m) +(\d+[smhd]|<unknown>)( +|$)"), " AGE "),
    (re.compile(r"(?m) +$"), ""),
]


@dataclass(frozen=True)
class Told:
    """A command, and what came of it."""

    line: str
    status: int
    out: str
    err: str


class Teller:
    """Tells stories to one server."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl

    def tell(self, story: list[Step]) -> Iterator[Told]:
        """Play a story in a namespace of its own, which is emptied before."""
        for step in story:
            env = {"KUBE_EDITOR": step.editor} if step.editor else {}
            done = self._kubectl.run(
                "--namespace=story",
                *shlex.split(_quoted(step.line)),
                stdin=step.given.encode(),
                env={"PATH": os.environ["PATH"], **env},
            )
            out, err = (alike(each.decode()) for each in (done.stdout, done.stderr))
            if not step.shows:
                out = err = ""
            yield Told(step.line, done.returncode, out, err)


def _quoted(line: str) -> str:
    """Leave the quotes of JSON to kubectl."""
    return line.replace('"', r"\"")


def alike(text: str) -> str:
    """What two servers should have in common."""
    for pattern, instead in _UNLIKE:
        text = pattern.sub(instead, text)
    return text


@pytest.fixture(scope="module")
def real(parts: Processes, authority: Authority) -> ApiServer:
    """A kube-apiserver without controllers, as the mock has none."""
    return start_api_server(parts, authority, start_etcd(parts), name="everyday")


@pytest.fixture(scope="module")
def tellers(real: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping]:
    """Who tells stories to the two."""
    with KubeAPI() as mock:
        folder = tmp_path_factory.mktemp("everyday")
        yield {"mock": Teller(_kubectl(folder / "mock", mock)), "real": Teller(real.admin)}


def _kubectl(folder: Path, mock: KubeAPI) -> Kubectl:
    folder.mkdir()
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(mock.kubeconfig())
    return Kubectl(kubeconfig)


@pytest.fixture(autouse=True)
def namespace(tellers: Mapping[str, Teller]) -> None:
    """Nothing is left of the story before: there is nobody who would end a namespace."""
    kinds = "cm,pods,deploy,secrets,sa,roles,rolebindings,jobs,cronjobs,ingress,pdb,hpa,quota"
    for teller in tellers.values():
        list(teller.tell([Step("create namespace story"), Step(f"delete {kinds} --all --now")]))


@pytest.mark.parametrize("name", STORIES)
def test_both_tell_the_same_story(tellers: Mapping[str, Teller], name: str) -> None:
    told, expected = (list(tellers[which].tell(STORIES[name])) for which in ("mock", "real"))
    differences = [
        f"$ kubectl {is_.line}\n--- the mock: {is_.status}\n{is_.out}{is_.err}"
        f"--- kube-apiserver: {should.status}\n{should.out}{should.err}"
        for is_, should in zip(told, expected, strict=True)
        if is_ != should
    ]
    assert not differences, "\n" + "\n".join(differences)
