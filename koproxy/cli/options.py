"""The table of options as command-line flags, read as kube-oidc-proxy reads its own.

That is Go's pflag: ``--flag value`` and ``--flag=value``, lists comma-separated or repeated,
``-v=4``.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click

from koproxy import durations
from koproxy.settings import options


class _Number(click.ParamType[int]):
    """A whole number; ``-P=8080`` hands over the equals sign too."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it."""
        text = str(value).removeprefix("=")
        if not re.fullmatch("-?[0-9]{1,10}", text):
            self.fail(f"{text!r} is not a whole number.", param, ctx)
        return int(text)


class _Duration(click.ParamType[timedelta]):
    """A span of time as Go writes one."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read it."""
        if isinstance(value, timedelta):
            return value
        try:
            return durations.read(value)
        except ValueError as problem:
            self.fail(f"{problem}.", param, ctx)


def _split(_ctx: click.Context, _param: click.Parameter, values: Any) -> tuple[str, ...]:
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def _pairs(ctx: click.Context, param: click.Parameter, values: Any) -> tuple[tuple[str, str], ...]:
    pairs = []
    for value in values:
        key, sign, wanted = value.partition("=")
        if not sign or not key.strip():
            raise click.BadParameter("expected CLAIM=VALUE.", ctx, param)
        pairs.append((key.strip(), wanted.strip()))
    return tuple(pairs)


def flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give ``command`` every option of :class:`koproxy.settings.Settings` as a flag."""
    for name, option in reversed(options().items()):
        names = [f"--{name}", option["field"]]
        if len(name) == 1:
            names.append(f"-{name}")
        if option["short"]:
            names.append(f"-{option['short']}")
        how: dict[str, Any] = {
            "default": option["default"],
            "help": option["help"],
            "metavar": option["metavar"],
            "show_default": option["default"] not in ("", ()),
        }
        if option["type"] is int:
            how["type"] = _Number()
        elif option["type"] is bool:
            how |= {"is_flag": False, "flag_value": "true", "type": bool, "metavar": "[true|false]"}
        elif option["type"] is timedelta:
            how |= {"type": _Duration(), "show_default": False}
            how["help"] += f" Default: {durations.write(option['default'])}."
        elif option["type"] == tuple[str, ...]:
            how |= {"multiple": True, "callback": _split}
            how["show_default"] = False
            if option["default"]:
                how["help"] += f" Default: {','.join(option['default'])}."
        elif option["type"] == tuple[tuple[str, str], ...]:
            how |= {"multiple": True, "callback": _pairs}
        command = click.option(*names, **how)(command)
    return command
