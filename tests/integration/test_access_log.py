"""The access log of koproxy as people run it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from koproxy_harness import Issuer, KubeAPI
from support.running import PEOPLE_MAY_LOOK, SECONDS, SERVE, Client, Running, flags, koproxy

PODS = "/api/v1/namespaces/demo/pods"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def api() -> Iterator[KubeAPI]:
    with KubeAPI() as api:
        api.apply(PEOPLE_MAY_LOOK)
        yield api


def lines(file: Path, count: int) -> list[dict[str, Any]]:
    """So many lines, once they are there."""
    deadline = time.monotonic() + SECONDS
    while True:
        found = file.read_text().splitlines() if file.exists() else []
        if len(found) >= count:
            return [json.loads(line) for line in found]
        assert time.monotonic() < deadline, found


def ask(running: Running, token: str, *more: str) -> int:
    client = Client(running.port, running.directory / "kube-oidc-proxy.crt")
    status, _ = client.get(PODS, token, *more)
    client.close()
    return status


def test_lines_go_to_the_file_that_is_there(issuer: Issuer, api: KubeAPI, tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    good, bad = issuer.token(groups=["dev"]), issuer.token(wrong="expired")
    with koproxy(issuer, api, tmp_path, f"--access-log-path={file}") as running:
        assert ask(running, good, "X-Request-Id: mine") == 200
        assert ask(running, bad) == 401
        first, second = lines(file, 2)
        file.rename(tmp_path / "access.log.1")  # as logrotate does
        assert ask(running, good) == 200
        (third,) = lines(file, 1)
    assert (first["id"], first["user"], first["verb"], first["status"]) == (
        "mine",
        "jane",
        "list",
        200,
    )
    assert first["issuer"] == second["issuer"] == issuer.url
    assert second["reason"].endswith("it has expired")
    assert third["resource"] == "pods"
    (reached,) = [each for each in api.requests if b"\r\nAudit-ID: mine\r\n" in each.raw]
    assert reached.path == PODS
    assert good not in (tmp_path / "access.log.1").read_text()


def test_it_can_go_to_standard_output_and_is_whole_at_the_end(
    issuer: Issuer, api: KubeAPI, tmp_path: Path
) -> None:
    with koproxy(issuer, api, tmp_path, "--access-log-path=-") as running:
        assert ask(running, issuer.token(groups=["dev"])) == 200
    (line,) = [json.loads(line) for line in running.lines if line.startswith("{")]
    assert line["path"] == PODS


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("--access-log-path=/nowhere/at/all", "--access-log-path /nowhere/at/all can't be written"),
        ("--access-log-sample-rate=1.5", "--access-log-sample-rate 1.5 is not from 0 to 1"),
    ],
)
def test_what_can_not_work_is_one_sentence(
    issuer: Issuer, api: KubeAPI, tmp_path: Path, flag: str, words: str
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(api.kubeconfig())
    running = Running([*SERVE, *flags(issuer, kubeconfig, tmp_path), flag], tmp_path)
    assert running.process.wait(SECONDS) == 2
    running.end()
    assert len(running.lines) == 1
    assert words in running.lines[0]
