"""Which sockets are taken when they are handed over, and what is said about others."""

import os
import socket
from collections.abc import Iterator

import pytest

from koproxy.errors import ConfigurationError
from koproxy.listening import bind_https, bind_https_together, handed_over, where
from koproxy.settings import Settings

FIRST = 200  # descriptors that nobody else has


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def environment(*names: str, pid: int | None = None, count: int | None = None) -> dict[str, str]:
    """What sd_listen_fds(3) finds."""
    return {
        "LISTEN_PID": str(os.getpid() if pid is None else pid),
        "LISTEN_FDS": str(len(names) if count is None else count),
        "LISTEN_FDNAMES": ":".join(names),
    }


def at(number: int, each: socket.socket) -> None:
    """Have a socket under this number as well."""
    os.dup2(each.fileno(), number)


def test_sockets_are_taken_by_their_names_and_not_inherited(listening: socket.socket) -> None:
    at(FIRST, listening)
    at(FIRST + 1, listening)
    environ = environment("health", "https")
    taken = handed_over(environ, FIRST)
    try:
        assert {name: each.fileno() for name, each in taken.items()} == {
            "health": FIRST,
            "https": FIRST + 1,
        }
        assert [each.getsockname() for each in taken.values()] == [listening.getsockname()] * 2
        assert not any(os.get_inheritable(each.fileno()) for each in taken.values())
        assert environ == {}
    finally:
        for each in taken.values():
            each.close()


@pytest.mark.parametrize(
    "environ", [{}, environment("https", pid=1), environment("https", count=0)]
)
def test_nothing_is_taken_that_is_not_for_this_process(environ: dict[str, str]) -> None:
    assert handed_over(environ, FIRST) == {}


@pytest.mark.parametrize("names", [("http",), ("https", "koproxy.socket"), ("https", "https")])
def test_other_names_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match=":".join(names)):
        handed_over(environment(*names), FIRST)


def test_what_does_not_listen_is_refused() -> None:
    with socket.socket() as idle:
        at(FIRST, idle)
    with pytest.raises(ConfigurationError, match=r"'https' .* no listening TCP socket"):
        handed_over(environment("https"), FIRST)


def test_what_is_no_socket_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"'health' .* can't be used"):
        handed_over(environment("health"), FIRST)


def test_a_unix_socket_is_refused(tmp_path: object) -> None:
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(f"{tmp_path}/socket")
        unix.listen()
        at(FIRST, unix)
    with pytest.raises(ConfigurationError, match="no listening TCP socket"):
        handed_over(environment("https"), FIRST)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_workers_listen_together(address: str) -> None:
    together = bind_https_together(Settings(bind_address=address, secure_port=0, workers=3))
    try:
        assert len(together) == 3
        assert len({where(each) for each in together}) == 1
        port = together[0].getsockname()[1]
        for settings in (
            Settings(bind_address=address, secure_port=port, workers=2),
            Settings(bind_address=address, secure_port=port),
        ):
            for bind in (bind_https, bind_https_together):
                with pytest.raises(OSError, match=f"port {port} .--secure-port.: Address already"):
                    bind(settings)
    finally:
        for each in together:
            each.close()


def test_an_address_is_told_as_people_write_it() -> None:
    for address, text in (("127.0.0.1", "127.0.0.1:"), ("::1", "[::1]:")):
        with bind_https(Settings(bind_address=address, secure_port=0)) as bound:
            assert where(bound) == f"{text}{bound.getsockname()[1]}"
