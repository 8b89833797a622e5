"""The walls between the rooms: what each may import, and what only one of them may write."""

import ast
from pathlib import Path

import pytest

import koproxy

ROOT = Path(koproxy.__file__).parent
TREE = Path(__file__).parents[2]


def imports(folder: Path, but: Path | None = None) -> set[str]:
    """Every module that the files below a folder import, by its whole name; `but` is left out."""
    found: set[str] = set()
    files = [file for file in folder.rglob("*.py") if but is None or but not in file.parents]
    assert files
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module or "")
    return found


@pytest.mark.parametrize(
    ("room", "closed"),
    [
        ("wire", ["twisted", "koproxy.identity", "koproxy.proxy", "koproxy.sources", "socket"]),
        ("identity", ["twisted", "koproxy.wire", "koproxy.proxy", "koproxy.sources", "time"]),
        ("proxy", ["koproxy.sources", "koproxy.authentication", "cryptography", "json"]),
        ("sources", ["koproxy.proxy", "koproxy.wire", "koproxy.cli"]),
        ("kubeconfig", ["twisted", "subprocess", "socket", "koproxy.proxy", "koproxy.sources"]),
        (
            "configuration",
            ["twisted", "koproxy.sources", "koproxy.proxy", "koproxy.wire", "socket"],
        ),
        (
            "cel",
            ["twisted", "koproxy.identity", "koproxy.sources", "koproxy.proxy", "socket", "time"],
        ),
        ("audit", ["koproxy.proxy", "koproxy.wire", "koproxy.observe", "koproxy.cli"]),
        ("observe", ["koproxy.sources", "koproxy.cel", "koproxy.cli"]),
    ],
)
def test_no_room_reaches_into_another(room: str, closed: list[str]) -> None:
    reached = [
        name
        for name in imports(ROOT / room)
        if any(name == wall or name.startswith(f"{wall}.") for wall in closed)
    ]
    assert reached == []


def writers(text: str) -> set[str]:
    """The files of the daemon in which a string or bytes literal begins with ``text``."""
    found = set()
    for file in set(ROOT.rglob("*.py")) - set((ROOT / "cli").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
                value = node.value.encode() if isinstance(node.value, str) else node.value
                if value.startswith(text.encode()):
                    found.add(str(file.relative_to(ROOT)))
    return found


def test_only_one_place_writes_who_asks_and_only_one_its_credential() -> None:
    assert writers("Impersonate-") == {"identity/impersonation.py"}
    assert writers("Authorization: ") == {"wire/request.py", "proxy/own_calls.py"}


@pytest.mark.parametrize("where", ["koproxy", "tests", "bench", "kind"])
def test_nobody_reaches_into_the_harness(where: str) -> None:
    reached = imports(TREE / where, but=TREE / "tests" / "e2e" / "mock")
    assert [name for name in reached if name.startswith("koproxy_harness.")] == []
