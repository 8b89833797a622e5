"""What systemd is told."""

import socket
from pathlib import Path

import pytest

from koproxy.notify import VARIABLE, notify


@pytest.mark.parametrize("name", ["{folder}/notify", "@koproxy-test-{folder}"])
def test_it_is_told_where_it_listens(tmp_path: Path, name: str) -> None:
    address = name.format(folder=tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + address[1:] if address.startswith("@") else address)
        notify("READY=1", {VARIABLE: address})
        assert systemd.recv(100) == b"READY=1"


@pytest.mark.parametrize("environ", [{}, {VARIABLE: ""}, {VARIABLE: "/nowhere/at/all"}])
def test_where_nobody_listens_nothing_happens(environ: dict[str, str]) -> None:
    notify("READY=1", environ)
