"""What this machine is and has: cores, programs, and the description that figures need."""

import os
import platform
import re
import resource
import shutil
import ssl
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench.builds import built
from bench.errors import Missing

_ROOT = Path(__file__).parent.parent
_GO_MODULES = Path(__file__).with_name("reverseproxy") / "go.mod"
_OPEN_FILES = 24_000  # two for each of 10,000 watches, and then some
_SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"  # not on everybody's PATH
_OPENSSL = r"(?s:.*)(?:built|running) with (OpenSSL [^)\n]+)"  # the second, where there are two


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs of a run: found on this machine, or built from what lies here."""

    nginx: Path
    wrk: Path
    reverseproxy: Path
    peer: Path


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core does what; the contestants, one at a time, have theirs to themselves."""

    contestant: int
    upstream: int
    load: int


def find_tools() -> Tools:
    """Find the programs, or build them; raises :class:`Missing` with what to install."""
    path = os.environ.get("PATH", os.defpath) + os.pathsep + _SYSTEM_FOLDERS
    found = {name: shutil.which(name, path=path) for name in ("nginx", "wrk")}
    missing = [name for name, where in found.items() if where is None]
    if missing:
        packages = " ".join({"nginx": "nginx-light"}.get(name, name) for name in missing)
        raise Missing(
            f"{' and '.join(missing)} can't be found on PATH: install them "
            f"(on Debian: apt-get install {packages}) and run this again"
        )
    return Tools(
        nginx=Path(str(found["nginx"])),
        wrk=Path(str(found["wrk"])),
        reverseproxy=built("reverseproxy"),
        peer=built("peer"),
    )


def open_files() -> int:
    """How many files a process may have open: as many as are needed, if this process may say so.

    Children may have as many.
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


def share_cores() -> Cores:
    """Give each part its core; raises :class:`Missing` where there is only one."""
    cores = sorted(os.sched_getaffinity(0), reverse=True)
    if len(cores) < 2:
        raise Missing("this needs two cores, one of them for the contestants alone")
    return Cores(contestant=cores[0], upstream=cores[1], load=cores[-1])


def commit() -> str:
    """The short name of the commit that is checked out, "unknown" without git."""
    return _git("rev-parse", "--short", "HEAD") or "unknown"


def describe(tools: Tools, cores: Cores, commit: str) -> list[tuple[str, str]]:
    """Everything that a reader needs to judge the figures, as names and values."""
    nginx = _output(tools.nginx, "-V")
    changed = " with uncommitted changes" if _git("status", "--porcelain", "koproxy") else ""
    return [
        ("CPU", _cpu_model()),
        (
            "cores",
            f"{os.cpu_count()}; contestants on {cores.contestant}, upstream on {cores.upstream}, "
            f"load on {cores.load}",
        ),
        ("kernel", f"{platform.system()} {platform.release()}"),
        ("open files of a process", str(resource.getrlimit(resource.RLIMIT_NOFILE)[0])),
        ("load average before", " ".join(f"{load:.2f}" for load in os.getloadavg())),
        ("koproxy", f"{version('koproxy')}, commit {commit}{changed}"),
        ("Python", f"{platform.python_version()}, {ssl.OPENSSL_VERSION}"),
        ("Twisted", version("twisted")),
        ("nginx", ", ".join(_first(of, nginx) for of in (r"nginx/(\S+)", _OPENSSL))),
        ("Go", _output(tools.peer, "version").strip().strip('"')),
        ("go-oidc", _first(r"go-oidc/v3 v(\S+)", _GO_MODULES.read_text())),
        ("PyJWT", version("pyjwt")),
        ("wrk", _first(r"wrk (\S+)", _output(tools.wrk, "-v"))),
    ]


def _cpu_model() -> str:
    return _first(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())


def _output(program: Path, flag: str) -> str:
    """What a program says of itself, whichever stream and status it chooses for that."""
    run = subprocess.run([program, flag], capture_output=True, text=True, check=False)
    return run.stdout + run.stderr


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else "unknown"


def _git(*arguments: str) -> str:
    try:
        run = subprocess.run(
            ["git", "-C", _ROOT, *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return run.stdout.strip()
