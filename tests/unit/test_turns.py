"""Tokens that are not known yet don't hold up those that are."""

import dataclasses
from collections.abc import Callable

from support.memory import JANE, Stack, request

from koproxy.identity.decision import Verified
from koproxy.proxy.turns import Turns


class Reactor:
    """One whose turns are the test's to take."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def callLater(self, _delay: float, call: Callable[[], None]) -> None:
        self.calls.append(call)

    def turn(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            call()


def test_a_few_are_done_at_once_and_the_others_in_order() -> None:
    reactor, done = Reactor(), list[int]()
    turns = Turns(reactor, in_a_turn=2)  # type: ignore[arg-type]
    for number in range(5):
        turns.take(lambda number=number: done.append(number))  # type: ignore[misc]
    assert done == [0, 1]
    reactor.turn()
    assert done == [0, 1, 2, 3]
    turns.take(lambda: done.append(5))
    assert done == [0, 1, 2, 3]
    reactor.turn()
    assert done == [0, 1, 2, 3, 4, 5]
    reactor.turn()
    assert reactor.calls == []
    turns.take(lambda: done.append(6))
    assert done[-1] == 6


def test_who_is_known_waits_for_nobody() -> None:
    stack, reactor = Stack(), Reactor()
    turns = Turns(reactor, in_a_turn=1)  # type: ignore[arg-type]
    stack.way = dataclasses.replace(stack.way, turns=turns)
    known = {b"Bearer known": JANE}

    def knows(authorization: bytes) -> Verified | None:
        return known.get(authorization)

    stack.authentication.known = knows  # type: ignore[method-assign]
    flood = [stack.new_client() for _ in range(3)]
    for client in flood:
        client.receive(request(token=b"bad"))
    assert [client.sent[9:12] for client in flood] == [b"401", b"", b""]
    client = stack.new_client()
    client.receive(request(token=b"known"))
    assert stack.upstream.sent != b""
    flood[1].lose()
    reactor.turn()
    reactor.turn()
    assert [client.sent[9:12] for client in flood] == [b"401", b"", b"401"]


def test_a_failure_in_its_turn_is_its_own_clients_alone() -> None:
    stack, reactor = Stack(), Reactor()
    turns = Turns(reactor, in_a_turn=2)  # type: ignore[arg-type]
    stack.way = dataclasses.replace(stack.way, turns=turns)
    clients = [stack.new_client() for _ in range(4)]
    for client in clients[:2]:
        client.receive(request(token=b"bad"))
    clients[2].receive(request())
    clients[3].receive(request(token=b"bad"))
    stack.authentication.outcomes[b"Bearer jane"] = None  # type: ignore[assignment]
    reactor.turn()
    assert [client.sent[9:12] for client in clients[2:]] == [b"500", b"401"]
