"""The table of options as command-line flags, read as kube-oidc-proxy reads its own.

That is Go's pflag: ``--flag value`` and ``--flag=value``, lists comma-separated or repeated,
``-v=4``.
"""

import re
from collections.abc import Callable, Container
from datetime import timedelta
from typing import Any

import click

from koproxy import durations
from koproxy.cli.elsewhere import elsewhere
from koproxy.settings import Whole, options


class _Number(click.ParamType[int]):
    """A whole number; ``-P=8080`` hands over the equals sign too."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it."""
        text = str(value).removeprefix("=")
        if not re.fullmatch("-?[0-9]{1,10}", text):
            self.fail(f"{text!r} is not a whole number.", param, ctx)
        return int(text)


class _Rate(click.ParamType[float]):
    """A number with up to four decimal places, which Python writes as it was given."""

    name = "rate"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read it."""
        if not re.fullmatch(r"-?[0-9]{1,10}(\.[0-9]{1,4})?", str(value)):
            self.fail(f"{str(value)!r} is not a number such as 5 or 0.5.", param, ctx)
        return float(value)


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


class Flag(click.Option):
    """An option of the table, which has a place among others in the help."""

    def __init__(self, *names: Any, group: str, **how: Any) -> None:
        """Take the ``group``, and what else an option has."""
        super().__init__(*names, **how)
        self.group = group


class Command(click.Command):
    """A command whose help has its own options first, or last, and the table's in their groups."""

    def __init__(self, *args: Any, without: Container[str] = (), **how: Any) -> None:
        """Take the groups that its help is ``without``: they are taken, and don't matter."""
        super().__init__(*args, **how)
        self._without = without

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, each group below its name."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for option in self.get_params(ctx):
            shown = option.get_help_record(ctx) if isinstance(option, click.Option) else None
            group = option.group if isinstance(option, Flag) else "Options"
            if shown is not None and group not in self._without:
                groups.setdefault(group, []).append(shown)
        for group, rows in groups.items():
            with formatter.section(group):
                formatter.write_dl(rows)


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
        elif option["type"] is float:
            how["type"] = _Rate()
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
        elif option["type"] == tuple[Whole, ...]:
            how["multiple"] = True
        elif option["type"] == tuple[tuple[str, str], ...]:
            how |= {"multiple": True, "callback": _pairs}
        command = click.option(*names, cls=Flag, group=option["group"], **how)(command)
    return elsewhere(command)
