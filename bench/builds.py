"""Go programs of the benchmark, built once into the cache by a hash of their sources.

A changed source is another folder in the cache, so nothing is ever built over.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.errors import Missing

GO_ENVIRONMENT = {"GOMAXPROCS": "1"}
"""What these programs get, since each has one core."""

_HERE = Path(__file__).parent


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where programs are built to: ``KOPROXY_CACHE``, or koproxy's folder in the user's cache."""
    if chosen := environment.get("KOPROXY_CACHE"):
        return Path(chosen)
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "koproxy"


def fingerprint(folder: Path) -> str:
    """Twelve hexadecimal digits that any change of a module's own files changes."""
    digest = hashlib.sha256()
    for file in sorted([*folder.glob("*.go"), *folder.glob("go.*")]):
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]


def built(name: str) -> Path:
    """The program of the module in ``bench/NAME``, built if it isn't yet.

    Raises:
        Missing: there is no Go here, or the program doesn't build.
    """
    source = _HERE / name
    binary = cache_folder(os.environ) / f"bench-{name}-{fingerprint(source)}" / name
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
