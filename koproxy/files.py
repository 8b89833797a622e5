"""The files that flags name, read, with a sentence where that fails. Nothing is made of them."""

import os

from koproxy.errors import ConfigurationError

_LARGEST = 4 * 1024 * 1024
"""Bytes; more than a ConfigMap or a Secret takes."""


def read_named(where: str, path: str | os.PathLike[str]) -> bytes:
    """Give what is in a file; ``where`` names it with its flag, for people.

    Raises:
        ConfigurationError: it can't be read, or is larger than what Kubernetes can hold.
    """
    try:
        with open(path, "rb") as file:
            found = file.read(_LARGEST + 1)
    except OSError as problem:
        raise ConfigurationError(
            f"{where} can't be read ({problem.strerror}): give a file that koproxy may read"
        ) from None
    if len(found) > _LARGEST:
        raise ConfigurationError(f"{where} has more than {_LARGEST} bytes: give a smaller file")
    return found
