"""What commands say on standard output, so that nobody's text can do more there than be read."""

import sys

import click


def say(text: str) -> None:
    """Write lines, with escapes for what the terminal's encoding lacks."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding))


def printable(line: str) -> str:
    """Give one line, with escapes for what would move a cursor or turn the direction of text."""
    if line.isprintable():
        return line
    return "".join([each if each.isprintable() else _escaped(each) for each in line])


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
