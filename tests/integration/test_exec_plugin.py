"""Credential plugins as real processes: asked, read, and ended when they do not end."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.interfaces import IReactorProcess
from twisted.internet.task import Clock
from zope.interface import implementer

from koproxy.errors import ConfigurationError
from koproxy.kubeconfig import ExecPlugin
from koproxy.sources import execplugin
from koproxy.sources.execcredential import Grant, PluginError
from koproxy.sources.execplugin import find_plugin, run_plugin

V1 = "client.authentication.k8s.io/v1"
ANSWER = f"""echo '{{"apiVersion":"{V1}","kind":"ExecCredential","status":{{"token":"t"}}}}'"""

Make = Callable[..., ExecPlugin]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a plugin as a shell script."""

    def make(script: str, **changes: Any) -> ExecPlugin:
        program = tmp_path / "plugin"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        fields: dict[str, Any] = {
            "where": "users[u].user.exec",
            "command": str(program),
            "args": (),
            "env": (),
            "api_version": V1,
            "install_hint": "",
            "cluster_info": None,
        }
        return ExecPlugin(**{**fields, **changes})

    return make


@implementer(IReactorProcess)
class Processes:
    """Real processes, and a clock that the test turns."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.callLater = self.clock.callLater
        self.started: Deferred[Any] = Deferred()

    def spawnProcess(self, *arguments: Any, **keywords: Any) -> Any:
        process = reactor.spawnProcess(*arguments, **keywords)
        self.started.callback(process)
        return process


def run(plugin: ExecPlugin, processes: Any = reactor) -> Deferred[Grant]:
    return ensureDeferred(run_plugin(plugin, b"ca", processes))


async def refusal(plugin: ExecPlugin) -> str:
    with pytest.raises(PluginError) as caught:
        await run(plugin)
    return str(caught.value)


@pytest_twisted.ensureDeferred
async def test_it_gets_arguments_environment_and_the_question(make: Make, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = f"""
        printf '%s\\n' "$1" "$2" "$NAME" "$PATH" "$KUBERNETES_EXEC_INFO" > {seen}
        cat >> {seen}
        {ANSWER}"""
    plugin = make(
        script,
        args=("one", "t w o"),
        env=(("NAME", "value"),),
        cluster_info={"server": "https://a"},
    )
    assert (await run(plugin)).authorization == b"Bearer t"
    one, two, name, path, info = seen.read_text().splitlines()
    assert (one, two, name, path) == ("one", "t w o", "value", os.environ["PATH"])
    assert json.loads(info)["spec"]["cluster"]["certificate-authority-data"] == "Y2E="


@pytest_twisted.ensureDeferred
async def test_it_is_found_on_path(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = make(ANSWER, command="plugin")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert (await run(plugin)).authorization == b"Bearer t"


@pytest_twisted.ensureDeferred
async def test_a_failure_shows_what_it_said(make: Make) -> None:
    sentence = await refusal(make("echo s3cr3t; printf 'log in\\n\\033[1mfirst' >&2; exit 3"))
    assert "failed with exit status 3; it says: log in [1mfirst" in sentence
    assert "s3cr3t" not in sentence
    assert "\x1b" not in sentence


@pytest_twisted.ensureDeferred
async def test_what_it_says_is_cut_short(make: Make) -> None:
    sentence = await refusal(make("head -c 100000 /dev/zero | tr '\\0' e >&2; exit 1"))
    assert sentence.count("e" * 100) * 100 <= execplugin.STDERR_BYTES


@pytest_twisted.ensureDeferred
async def test_an_end_by_a_signal(make: Make) -> None:
    assert "was killed" in await refusal(make("kill -9 $$"))


@pytest_twisted.ensureDeferred
async def test_too_much_output_ends_it(make: Make) -> None:
    assert "printed more than" in await refusal(make("yes"))


@pytest_twisted.ensureDeferred
async def test_no_answer_in_time_ends_it(make: Make) -> None:
    processes = Processes()
    # What it started itself holds its output open for longer.
    running = run(make("sleep 60 & exec sleep 60"), processes)
    process = await processes.started
    processes.clock.advance(execplugin.SECONDS)
    with pytest.raises(PluginError, match="gave no answer within 60 seconds"):
        await running
    assert process.pid is None
    assert not processes.clock.getDelayedCalls()


@pytest_twisted.ensureDeferred
async def test_cancelled_it_is_ended(make: Make) -> None:
    processes = Processes()
    running = run(make("exec sleep 60"), processes)
    process = await processes.started
    ended: Deferred[None] = Deferred()
    process.proto.processEnded = lambda _reason: ended.callback(None)
    running.cancel()
    with pytest.raises(CancelledError):
        await running
    await ended
    assert process.pid is None


@pytest_twisted.ensureDeferred
async def test_it_is_gone_since_the_start(make: Make, tmp_path: Path) -> None:
    plugin = make(ANSWER)
    (tmp_path / "plugin").unlink()
    assert "there is no program" in await refusal(plugin)


@pytest.mark.parametrize("command", ["no-such-plugin", "./plugin-in-this-folder", "/"])
def test_a_program_that_is_not_there(make: Make, command: str) -> None:
    plugin = make(ANSWER, command=command, install_hint="Get it\n\x1b[1m from us")
    with pytest.raises(ConfigurationError, match="there is no program") as caught:
        find_plugin(plugin)
    assert str(caught.value).endswith(". Get it [1m from us")


def test_a_program_that_may_not_be_run(make: Make, tmp_path: Path) -> None:
    plugin = make(ANSWER)
    (tmp_path / "plugin").chmod(0o644)
    with pytest.raises(ConfigurationError, match="that koproxy may run"):
        find_plugin(plugin)


def test_a_relative_entry_of_path_is_not_used(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = make(ANSWER, command="plugin")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ".")
    with pytest.raises(ConfigurationError, match="there is no program plugin"):
        find_plugin(plugin)


@pytest_twisted.ensureDeferred
async def test_one_that_no_process_can_be_made_of_is_said(make: Make, tmp_path: Path) -> None:
    plugin = make("")
    (tmp_path / "plugin").write_text("#!/nowhere/interpreter\n")
    assert "can't be started" in await refusal(plugin)
    assert "can't be started" in await refusal(make("", env=(("A=B", "a-secret"),)))
