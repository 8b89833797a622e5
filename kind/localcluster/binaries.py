"""Where `kind/build` has put the servers. Builds nothing itself."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

BUILD = Path(__file__).parent.parent / "build"


class NotBuilt(Exception):
    """A server is missing in the cache; the text says what to run."""


@functools.cache
def _paths() -> dict[str, Path]:
    lines = subprocess.run([BUILD, "--where"], check=True, capture_output=True, text=True).stdout
    return {line.split()[0]: Path(line.split(maxsplit=2)[2]) for line in lines.splitlines()}


def binary(name: str) -> Path:
    """The executable that `kind/build` calls so: `etcd`, `kubectl`, `helm`, ...

    Raises `NotBuilt` if it is not in the cache, KeyError if there is no such program.
    """
    path = _paths()[name]
    if not path.exists():
        raise NotBuilt(f"{name} is not built yet ({path} is missing): run kind/build first")
    return path
