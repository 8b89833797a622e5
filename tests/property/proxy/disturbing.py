"""What else can happen: somebody is slow or goes, a credential changes, time passes."""

from collections.abc import Callable

from property.proxy import traffic
from property.proxy.world import VERY_LONG, World

Happens = Callable[[World, int], None]

_NOT_ASKED = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def _takes(*, upstream: bool, more: bool) -> Happens:
    def happens(world: World, which: int) -> None:
        sides = world.open if upstream else world.present
        if sides:
            sides[which % len(sides)].tls.take(more=more)

    return happens


def _ends(*, upstream: bool, clean: bool) -> Happens:
    def happens(world: World, which: int) -> None:
        sides = world.open if upstream else world.present
        if sides:
            sides[which % len(sides)].end(clean=clean)

    return happens


def _says_what_nobody_asked(world: World, which: int) -> None:
    if world.open:
        world.open[which % len(world.open)].say(_NOT_ASKED)


def _asks_without_credential(world: World, which: int) -> None:
    world.lose_credential()
    world.ask(which, traffic.GOOD["get"], b"anna", 100_000)
    world.renew(certificate=False)


DISTURBANCES: dict[str, Happens] = {
    "a client reads nothing": _takes(upstream=False, more=False),
    "a client reads": _takes(upstream=False, more=True),
    "a client closes": _ends(upstream=False, clean=True),
    "a client is cut": _ends(upstream=False, clean=False),
    "the API server reads nothing": _takes(upstream=True, more=False),
    "the API server reads": _takes(upstream=True, more=True),
    "the API server closes": _ends(upstream=True, clean=True),
    "the API server is cut": _ends(upstream=True, clean=False),
    "it says what nobody asked": _says_what_nobody_asked,
    "no credential": _asks_without_credential,
    "another token": lambda world, _: world.renew(certificate=False),
    "another certificate": lambda world, _: world.renew(certificate=True),
    "a second": lambda world, _: world.pass_time(1.0),
    "half a minute": lambda world, _: world.pass_time(30.0),
    "a minute": lambda world, _: world.pass_time(60.0),
    "ten minutes": lambda world, _: world.pass_time(VERY_LONG),
}
