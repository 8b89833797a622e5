"""The harness's examples that need more than Python, run as their READMEs say."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "harness" / "examples"


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """With the command of this Python first on the PATH."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture(scope="module")
def go_tests(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tests of the Go client, compiled once."""
    program = tmp_path_factory.mktemp("go-client") / "client.test"
    subprocess.run(
        ["go", "test", "-c", "-p", "1", "-o", program, "."],
        cwd=EXAMPLES / "go-client",
        env=environment,
        check=True,
        timeout=900,
    )
    return program


@pytest.mark.parametrize(
    "name",
    [
        "TestVerifyTokens",
        "TestKeysAreRotated",
        "TestList",
        "TestAnExpiredTokenIsRefused",
        "TestInformer",
        "TestServerSideApply",
        "TestAFault",
    ],
)
def test_the_go_client(go_tests: Path, environment: dict[str, str], name: str) -> None:
    ended = subprocess.run(
        [go_tests, f"-test.run=^{name}$", "-test.v"],
        cwd=EXAMPLES / "go-client",
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert f"--- PASS: {name}" in ended.stdout


@pytest.mark.skipif(shutil.which("node") is None, reason="this example is in JavaScript")
def test_the_node_program(environment: dict[str, str]) -> None:
    ended = subprocess.run(
        ["node", "--test"],
        cwd=EXAMPLES / "node-service",
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"^\S+ pass 11$", ended.stdout, re.MULTILINE), ended.stdout
