"""The real kubectl, and the kubeconfig files that it reads."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcluster.binaries import binary


def write_kubeconfig(path: Path, server: str, ca: Path, user: Mapping[str, Any]) -> Path:
    """A kubeconfig with one context; `user` is the user's entry (`token`, `tokenFile`, ...).

    JSON is YAML too, and needs no library.
    """
    name = path.name.partition(".")[0]
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": name, "cluster": {"server": server, "certificate-authority": str(ca)}}
        ],
        "users": [{"name": name, "user": dict(user)}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=2) + "\n")
    return path


@dataclass(frozen=True)
class Kubectl:
    """kubectl with one kubeconfig, kept away from the settings of the person who runs it."""

    kubeconfig: Path

    def argv(self, *args: str | Path) -> list[str]:
        """The command line, for who starts the process himself."""
        return [str(binary("kubectl")), *map(str, args)]

    def env(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment: the kubeconfig, and a home beside it for kubectl's caches."""
        home = self.kubeconfig.parent / "home"
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "KUBECONFIG": str(self.kubeconfig),
            **(extra or {}),
        }

    def run(
        self,
        *args: str | Path,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        seconds: float = 60.0,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run to the end, whatever the exit status is. Raises TimeoutExpired after `seconds`."""
        return subprocess.run(
            self.argv(*args),
            input=stdin,
            capture_output=True,
            env=self.env(env),
            timeout=seconds,
            check=False,
        )

    def __call__(self, *args: str | Path, stdin: bytes = b"") -> str:
        """What kubectl prints; an exit status other than 0 is a RuntimeError with its message."""
        done = self.run(*args, stdin=stdin)
        if done.returncode != 0:
            raise RuntimeError(
                f"kubectl {' '.join(map(str, args))} ended with status {done.returncode}: "
                f"{done.stderr.decode(errors='replace').strip()}"
            )
        return done.stdout.decode()

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """Apply objects given as mappings."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self("apply", "-f", "-", stdin=json.dumps(items).encode())
