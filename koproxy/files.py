"""The files that flags name, read, with a sentence where that fails. Nothing is made of them."""

import os

from koproxy.errors import ConfigurationError


def read_named(where: str, path: str | os.PathLike[str]) -> bytes:
    """Give what is in a file; ``where`` names it with its flag, for people.

    Raises:
        ConfigurationError: it can't be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as problem:
        raise ConfigurationError(
            f"{where} can't be read ({problem.strerror}): give a file that koproxy may read"
        ) from None
