"""A configuration's file that changes under a running Authentication."""

from pathlib import Path
from typing import Any

import pytest
import trustme
from twisted.internet.task import Clock

from koproxy.authentication_file import AuthenticationFile
from koproxy.errors import ConfigurationError
from koproxy.reloaded import SECONDS, Reloaded

HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n"


def entry(url: str, ca: str = "") -> str:
    authority = "\n    certificateAuthority: |\n      " + ca.replace("\n", "\n      ") if ca else ""
    return (
        f"- issuer:\n    url: {url}\n    audiences: [app]{authority}\n"
        "  claimMappings: {username: {claim: sub, prefix: ''}}\n"
    )


class Authentication:
    def __init__(self) -> None:
        self.used: list[tuple[list[str], dict[str, Any]]] = []

    def use(self, issuers: Any, fetchers: dict[str, Any], _anonymous: Any) -> None:
        self.used.append(([issuer.url for issuer in issuers], dict(fetchers)))


def keep(file: Path, clock: Clock, authentication: Authentication, trust: Any) -> Reloaded[bytes]:
    """What keeps an Authentication in step with a file."""
    read = AuthenticationFile(str(file), Compiler(), trust, authentication)  # type: ignore[arg-type]
    return Reloaded(f"--authentication-config {file}", read.read, read.take, clock)


class Scene:
    """A file, and an Authentication that is kept in step with it."""

    def __init__(self, file: Path) -> None:
        self.path = file
        self.clock = Clock()
        self.authentication = Authentication()
        self.trusted: list[str] = []
        self.write(entry("https://a.example"))
        self.file = keep(file, self.clock, self.authentication, self.trust)
        self.file.startService()

    def write(self, entries: str) -> None:
        self.path.write_text(f"{HEAD}jwt:\n{entries}")

    def trust(self, authorities: str, where: str) -> object:
        self.trusted.append(where)
        return object()

    def later(self) -> None:
        self.clock.advance(SECONDS)


class Compiler:
    def claims(self, text: str, *, is_rule: bool = False) -> Any:
        raise ValueError("it is wrong")

    user = claims


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "authentication.yaml")


def test_a_good_change_is_taken_up_and_no_change_is_none(scene: Scene) -> None:
    assert scene.authentication.used == [(["https://a.example"], {})]
    scene.later()
    scene.write(entry("https://a.example"))
    scene.later()
    assert len(scene.authentication.used) == 1
    scene.write(entry("https://a.example") + entry("https://b.example"))
    scene.later()
    assert scene.authentication.used[1:] == [(["https://a.example", "https://b.example"], {})]
    scene.file.stopService()
    scene.write(entry("https://c.example"))
    scene.later()
    assert len(scene.authentication.used) == 2


def test_a_bad_change_is_refused_whole_and_said(scene: Scene) -> None:
    scene.write(entry("https://b.example") + entry("http://c.example"))
    scene.later()
    assert len(scene.authentication.used) == 1
    assert scene.file.problem is not None
    assert "line 9: jwt[1].issuer.url" in scene.file.problem
    scene.path.unlink()
    scene.later()
    assert scene.file.problem is not None
    assert "can't be read (No such file" in scene.file.problem
    scene.write(entry("https://a.example"))  # as it was
    scene.later()
    assert scene.file.problem is None
    assert len(scene.authentication.used) == 1
    scene.write(entry("https://b.example"))
    scene.later()
    assert scene.authentication.used[1:] == [(["https://b.example"], {})]


def test_the_same_authorities_are_the_same_trust(scene: Scene) -> None:
    one, two = (trustme.CA().cert_pem.bytes().decode() for _ in range(2))
    scene.write(entry("https://a.example", one))
    scene.later()
    scene.write(entry("https://a.example", one) + entry("https://b.example", one))
    scene.later()
    scene.write(entry("https://a.example", two))
    scene.later()
    first, second, third = (fetchers for _, fetchers in scene.authentication.used[1:])
    assert first["https://a.example"] is second["https://a.example"]
    assert second["https://b.example"] is not second["https://a.example"]
    assert third["https://a.example"] is not first["https://a.example"]
    assert len(scene.trusted) == 3
    assert scene.trusted[0].endswith("the certificateAuthority of https://a.example")


@pytest.mark.parametrize("text", ["", "jwt: 1", f"{HEAD}jwt: []\nmore: 1"])
def test_a_start_with_a_wrong_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "authentication.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=f"--authentication-config {file}"):
        keep(file, Clock(), Authentication(), lambda *_: object())
