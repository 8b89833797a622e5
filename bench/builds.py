"""Programs of the benchmark that are compiled, once, into the cache by a hash of their sources.

A changed source is another folder in the cache, so nothing is ever built over.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from bench.errors import Missing

GO_ENVIRONMENT = {"GOMAXPROCS": "1"}
"""What these programs get, since each has one core."""

_HERE = Path(__file__).parent
_ROOT = _HERE.parent


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where programs are built to: ``KOPROXY_CACHE``, or koproxy's folder in the user's cache."""
    if chosen := environment.get("KOPROXY_CACHE"):
        return Path(chosen)
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "koproxy"


def fingerprint(files: Iterable[Path]) -> str:
    """Twelve hexadecimal digits that any change of the files changes."""
    digest = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]


def compiled_koproxy() -> Path:
    """A folder to put on PYTHONPATH, with a koproxy whose way of a request is compiled.

    Raises:
        Missing: there is no C compiler here, or it doesn't build.
    """
    sources = [*_ROOT.glob("koproxy/**/*.py"), _ROOT / "hatch_build.py", _ROOT / "pyproject.toml"]
    folder = cache_folder(os.environ) / f"bench-koproxy-compiled-{fingerprint(sources)}"
    if folder.exists():
        return folder
    if shutil.which("cc") is None:
        raise Missing(
            "there is no C compiler: install one (on Debian: apt-get install gcc), or leave "
            "koproxy-compiled out with --contestants"
        )
    print("building koproxy-compiled", file=sys.stderr)
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    build = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-deps", "--target", unfinished, _ROOT],
        env=os.environ | {"HATCH_BUILD_HOOK_ENABLE_CUSTOM": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if build.returncode:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise Missing(f"koproxy doesn't compile here; pip says:\n{build.stderr.strip()}")
    unfinished.rename(folder)
    return folder


def _of_module(folder: Path) -> str:
    return fingerprint([*folder.glob("*.go"), *folder.glob("go.*")])


def built(name: str) -> Path:
    """The program of the module in ``bench/NAME``, built if it isn't yet.

    Raises:
        Missing: there is no Go here, or the program doesn't build.
    """
    source = _HERE / name
    binary = cache_folder(os.environ) / f"bench-{name}-{_of_module(source)}" / name
    if binary.exists():
        return binary
    go = shutil.which("go")
    if go is None:
        raise Missing(
            "go can't be found on PATH: install Go 1.26 or newer from https://go.dev/dl/ "
            "and run this again"
        )
    print(f"building {name}", file=sys.stderr)
    binary.parent.mkdir(parents=True, exist_ok=True)
    unfinished = binary.with_name(f"{name}.{os.getpid()}")
    build = subprocess.run(
        [go, "build", "-trimpath", "-ldflags", "-s -w", "-o", unfinished, "."],
        cwd=source,
        env=os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "auto"},
        capture_output=True,
        text=True,
        check=False,
    )
    if build.returncode:
        unfinished.unlink(missing_ok=True)
        raise Missing(f"bench/{name} doesn't build here; go says:\n{build.stderr.strip()}")
    unfinished.rename(binary)
    return binary
