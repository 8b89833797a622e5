"""What commands say on standard output, so that nobody's text can do more there than be read."""

import os
import sys

import click


def say(text: str) -> None:
    """Write lines, with escapes for what the terminal's encoding lacks."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding))


def say_no_more() -> None:
    """Drop what could not be written: Python would try again as it ends, and then end with 120."""
    if sys.stdout is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def printable(line: str) -> str:
    """Give one line, with escapes for what would move a cursor or turn the direction of text."""
    if line.isprintable():
        return line
    return "".join([each if each.isprintable() else _escaped(each) for each in line])


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
