"""Writes options.md from the one declaration of the options: ``make docs``."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from koproxy import durations
from koproxy.settings import options

PAGE = Path(__file__).with_name("options.md")
HEAD = """# Options

Every option of `koproxy serve` (and so of `kube-oidc-proxy` and `twistd koproxy`), as
`koproxy serve --help` has it too. Those that kube-apiserver or kube-oidc-proxy have are named as
there; [switching.md](switching.md) compares. Times are written as Go writes them (`90s`, `1m30s`).
A flag that says true or false may be given alone, for true. What is said in the plural takes
several values with commas between them, or the flag several times.

`koproxy check FLAGS` says what is wrong with them, without serving.
"""


def page() -> str:
    """Give the whole page."""
    groups: dict[str, list[str]] = {}
    for name, option in options().items():
        groups.setdefault(option["group"], []).append(_row(name, option))
    tables = (
        f"## {group}\n\n| flag | default | what it is for |\n|---|---|---|\n" + "".join(rows)
        for group, rows in groups.items()
    )
    return "\n".join((HEAD, *tables))


def _row(name: str, option: dict[str, Any]) -> str:
    value = "" if option["type"] is bool else f" {option['metavar']}"
    short = f", `-{option['short']}`" if option["short"] else ""
    dashes = "-" if len(name) == 1 else "--"
    text = option["help"].replace("|", "\\|")
    return f"| `{dashes}{name}{value}`{short} | {_default(option['default'])} | {text} |\n"


def _default(value: Any) -> str:
    if isinstance(value, timedelta):
        return f"`{durations.write(value)}`"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, tuple):
        value = ",".join(value)
    return f"`{value}`" if value != "" else ""


if __name__ == "__main__":
    PAGE.write_text(page())
