"""Every example in the README and in docs/, run as it is printed."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from koproxy_harness.command.configuration import configuration

HARNESS = Path(__file__).parents[2]
PAGES = [HARNESS / "README.md", *sorted((HARNESS / "docs").glob("*.md"))]
GETTING_STARTED = HARNESS / "docs" / "getting-started.md"


def blocks(language: str, pages: list[Path] = PAGES) -> list[object]:
    """Every block of this language, called by its page and number."""
    return [
        pytest.param(block, id=f"{page.stem}-{number}")
        for page in pages
        for number, block in enumerate(
            re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
        )
    ]


def test_there_are_examples():
    assert len(blocks("python")) >= 9
    assert len(blocks("yaml")) >= 1
    assert len(blocks("sh")) >= 1
    assert len(blocks("console")) >= 1


@pytest.mark.parametrize("example", blocks("python"))
def test_an_example_runs(example, tmp_path):
    file = tmp_path / "test_example.py"
    file.write_text(example)
    pytest_or_not = ["-m", "pytest", "-q"] if "def test_" in example else []
    command = [sys.executable, "-W", "error", *pytest_or_not, str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout


@pytest.fixture
def folder(tmp_path):
    """Where the page's configuration is, as `harness.yaml`."""
    (yaml,) = blocks("yaml", [GETTING_STARTED])
    (tmp_path / "harness.yaml").write_text(yaml.values[0])
    return tmp_path


@pytest.fixture
def environment():
    """With this Python's programs first on the PATH."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def test_the_configuration_is_what_the_page_says(folder):
    read = configuration(folder / "harness.yaml")
    assert [user.username for user in read.users] == ["jane"]
    assert [client.public for client in read.clients] == [True, False]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page's calls are made with curl")
@pytest.mark.parametrize("session", blocks("console", [GETTING_STARTED]))
@pytest.mark.parametrize("asked", blocks("sh", [GETTING_STARTED]))
def test_the_command_and_its_control(session, asked, folder, environment):
    command, printed = session.removeprefix("$ ").split("\n", 1)
    with subprocess.Popen(
        ["/bin/sh", "-c", f"exec {command}"],
        stdin=-1,
        stdout=-1,
        cwd=folder,
        env=environment,
        text=True,
    ) as process:
        try:
            told = json.loads(process.stdout.readline())
            assert list(told)[:2] == re.findall(r'[{ ]"([a-z_]+)": {', printed)
            shell = {"CA_FILE": told["ca_file"], "CONTROL_URL": told["control"]["url"]}
            ended = subprocess.run(
                ["/bin/sh", "-eu", "-c", asked],
                env={**environment, **shell},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            process.communicate(timeout=30)  # which closes its standard input
            assert process.returncode == 0
        finally:
            process.kill()
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert '{"token": "ey' in ended.stdout
    assert "error" not in ended.stdout
