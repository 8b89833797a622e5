"""Short histories of the machine that are worth having each time, and don't come up in each run."""

import pytest
from property.proxy import promises
from property.proxy.disturbing import DISTURBANCES, Happens
from property.proxy.replies import BAD, INTERIM, SWITCH, UNAUTHORIZED, WHOLE
from property.proxy.traffic import GOOD
from property.proxy.world import World

ALL = 100_000


def asks(kind: str, size: int = ALL, *, who: int = 0, token: bytes = b"jane") -> Happens:
    return lambda world, _: world.ask(who, GOOD[kind], token, size)


def answers(kind: str, size: int = ALL, *, which: int = 0) -> Happens:
    make = (WHOLE | INTERIM | UNAUTHORIZED | SWITCH | BAD)[kind]
    return lambda world, _: world.reply(world.busy[which], make, size)


def is_cut(which: int = 0) -> Happens:
    return lambda world, _: world.busy[which].end(clean=False)


def sends_on(size: int = ALL) -> Happens:
    return lambda world, _: world.sending[0].deliver(size)


def answers_on(world: World, _: int) -> None:
    world.deliver(world.speaking[0], ALL)


def is_settled(*, refused: bool) -> Happens:
    return lambda world, _: world.settle(0, refused=refused)


A_USED_CONNECTION = (asks("get"), answers("sized"))
TWO_USED_CONNECTIONS = (
    asks("get"),
    asks("get", who=1),
    answers("sized", which=1),
    answers("chunks"),
)
HISTORIES: dict[str, tuple[Happens | str, ...]] = {
    "a used connection was dead": (*A_USED_CONNECTION, asks("get"), is_cut(), answers("sized")),
    "a used connection was dead, and so is the next": (
        *A_USED_CONNECTION,
        asks("get"),
        is_cut(),
        is_cut(),
    ),
    "one of two used connections was dead": (*TWO_USED_CONNECTIONS, asks("get"), is_cut()),
    "a used connection was dead for a POST": (*A_USED_CONNECTION, asks("post"), is_cut()),
    "a used connection was dead for a body": (*A_USED_CONNECTION, asks("put, expect"), is_cut()),
    "a used connection is cut in a head": (
        *A_USED_CONNECTION,
        asks("get"),
        answers("sized", 1),
        is_cut(),
    ),
    "a used connection is cut after an interim answer": (
        *A_USED_CONNECTION,
        asks("get"),
        answers("103"),
        is_cut(),
    ),
    "an answer is cut": (asks("get"), answers("chunks", 60), is_cut()),
    "an answer by its end is cut": (asks("get"), answers("by its end"), is_cut()),
    "an answer by its end ends": (
        asks("get"),
        answers("by its end"),
        "the API server closes",
    ),
    "an answer before the body, which goes on": (
        asks("patch", 1500),
        answers("sized"),
        asks("get"),
    ),
    "the API server takes no more of a body": (
        asks("patch", 400),
        "the API server reads nothing",
        sends_on(400),
        "the API server reads",
        sends_on(),
        asks("get"),
        answers("sized"),
    ),
    "a client takes no more, and asks on": (
        asks("get", token=b"bad"),
        "a client reads nothing",
        asks("get", token=b"bad"),
        asks("get", token=b"bad"),
        asks("get"),
        "a client reads",
    ),
    "a client takes no more of an answer": (
        asks("get"),
        "a client reads nothing",
        answers("large", 400),
        answers_on,
        "a client reads",
        answers_on,
        asks("get"),
        answers("sized"),
    ),
    "a client goes with an answer under way": (
        asks("get"),
        answers("large", 400),
        "a client is cut",
    ),
    "a client goes with a tunnel": (
        asks("spdy"),
        answers("101 SPDY"),
        "it says what nobody asked",
        "a client closes",
    ),
    "a refused upgrade, and bytes after it": (asks("spdy"), answers("403"), asks("get")),
    "an upgrade to another protocol": (asks("spdy"), answers("101 websocket"), asks("get")),
    "a 401 that a new token mends": (
        asks("get"),
        answers("401, large", 300),
        "another token",
        is_settled(refused=False),
        answers("sized"),
    ),
    "a used connection was dead, and a new token mends the 401 of the next": (
        *A_USED_CONNECTION,
        asks("get"),
        is_cut(),
        answers("401"),
        "another token",
        is_settled(refused=False),
    ),
    "a 401 while nobody reads": (
        asks("get"),
        "a client reads nothing",
        answers("401, large", 300),
        is_settled(refused=False),
        answers_on,
        "a client reads",
        answers_on,
    ),
    "a tunnel to a client who doesn't read": (
        asks("spdy"),
        "a client reads nothing",
        answers("101 SPDY"),
        "it says what nobody asked",
        "a client reads",
        "it says what nobody asked",
    ),
    "an answer before the API server took the body": (
        asks("patch", 400),
        "the API server reads nothing",
        sends_on(400),
        answers("sized"),
        asks("patch", 400, who=1),
        sends_on(400),
    ),
    "an answer while the last of a body waits to be sent": (
        asks("patch", 400),
        "the API server reads nothing",
        sends_on(),
        answers("sized"),
    ),
    "an answer that hides another": (asks("get"), answers("more behind"), asks("get")),
    "an answer to nobody": (*A_USED_CONNECTION, "it says what nobody asked", asks("get")),
    "an interim answer to HTTP/1.0": (asks("get 1.0"), answers("100"), answers("chunks")),
}


@pytest.mark.parametrize("name", sorted(HISTORIES))
def test_the_promises_hold(name: str) -> None:
    world = World()
    world.client(1)
    for step in HISTORIES[name]:
        happens = DISTURBANCES[step] if isinstance(step, str) else step
        happens(world, 0)
        promises.hold(world)
    promises.hold_at_the_end(world)
