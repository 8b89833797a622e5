"""The harness as people install it: its wheel and pytest in an environment with nothing else."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

# What koproxy has and the harness must do without, and what only tests of the harness need.
NOT_NEEDED = {"koproxy", "click", "treq", "msgspec", "pytest-twisted", "pytest-xdist", "authlib"}

FETCH = """import json, ssl, urllib.request

def fetch(server, path, token=""):
    trust = ssl.create_default_context(cafile=server.ca_file)
    asked = urllib.request.Request(server.url + path, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked, context=trust) as answer:
        return json.load(answer)
"""
ISSUER = (
    FETCH
    + """
def test_it(oidc_issuer):
    assert fetch(oidc_issuer, "/keys")["keys"] and oidc_issuer.token(sub="jane")
"""
)
KUBE_API = (
    FETCH
    + """
def test_it(oidc_issuer, kube_api):
    assert fetch(kube_api, "/version", oidc_issuer.token(sub="jane"))["major"] == "1"
"""
)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and pytest."""
    folder = tmp_path_factory.mktemp("alone")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    made = [*pip, "wheel", "--no-deps", "--wheel-dir", folder, REPOSITORY / "harness"]
    subprocess.run(made, check=True, timeout=300)
    (wheel,) = folder.glob("koproxy_harness-*.whl")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    constraints = REPOSITORY / "requirements" / "constraints.txt"
    wanted = ["install", "-c", constraints, wheel, "pytest"]
    subprocess.run([*pip, f"--python={python}", *wanted], check=True, timeout=300)
    return python


def test_it_is_small(python: Path) -> None:
    (site,) = python.parent.parent.glob("lib/python3.*/site-packages")
    names = {folder.name.partition("-")[0].lower() for folder in site.glob("*.dist-info")}
    size = sum(
        file.stat().st_size for file in site.rglob("*") if file.is_file() and file.suffix != ".pyc"
    )
    own = sum(file.stat().st_size for file in (site / "koproxy_harness").rglob("*.py"))
    figures = f"{len(names)} packages, {size / 1e6:.1f} MB; the harness's own {own / 1e3:.0f} kB"
    print(figures, *sorted(names))  # noqa: T201 - for whoever runs it with -rA
    assert not {name.replace("-", "_") for name in NOT_NEEDED} & names
    assert (site / "koproxy_harness" / "py.typed").exists()


@pytest.mark.parametrize("source", [ISSUER, KUBE_API], ids=["oidc_issuer", "kube_api"])
def test_ten_lines_with_a_fixture(python: Path, tmp_path: Path, source: str) -> None:
    assert len(source.strip().splitlines()) <= 10
    (tmp_path / "test_it.py").write_text(source)
    words = [python, "-W", "error", "-m", "pytest", "-q", "test_it.py"]
    ended = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "1 passed" in ended.stdout


def test_the_command_is_there(python: Path) -> None:
    command = [python.with_name("koproxy-harness"), "issuer", "--until-stdin-closes"]
    ended = subprocess.run(
        command, input="", capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith('{"issuer": {"url": "https://127.0.0.1:')
