"""One errand for all who wait."""

from twisted.internet.defer import CancelledError, Deferred

from koproxy.sources.flight import Flight


def results(deferred: Deferred[str]) -> list[object]:
    found: list[object] = []
    deferred.addBoth(found.append)
    return found


async def of(deferred: Deferred[str]) -> str:
    return await deferred


def test_all_who_wait_get_the_result() -> None:
    errand: Deferred[str] = Deferred()
    flight = Flight(of(errand))
    early = [results(flight.join()) for _ in range(3)]
    assert early == [[], [], []]
    errand.callback("here")
    assert early == [["here"]] * 3
    assert results(flight.join()) == ["here"]
    assert flight.done.called


def test_all_who_wait_get_the_failure() -> None:
    errand: Deferred[str] = Deferred()
    flight = Flight(of(errand))
    waiting = [flight.join() for _ in range(2)]
    errand.errback(ValueError("no"))
    for each in [*waiting, flight.join()]:
        caught: list[object] = []
        each.addErrback(lambda failure: caught.append(failure.trap(ValueError)))  # noqa: B023
        assert caught == [ValueError]


def test_who_stops_waiting_does_not_stop_the_others() -> None:
    errand: Deferred[str] = Deferred()
    flight = Flight(of(errand))
    gone, stays = flight.join(), flight.join()
    found = results(stays)
    gone.addErrback(lambda failure: failure.trap(CancelledError) and None)
    gone.cancel()
    assert not errand.called
    errand.callback("here")
    assert found == ["here"]


def test_an_errand_can_be_ended() -> None:
    errand: Deferred[str] = Deferred()
    flight = Flight(of(errand))
    waiting = flight.join()
    flight.cancel()
    assert flight.done.called
    assert isinstance(results(waiting.addErrback(lambda failure: failure.value))[0], CancelledError)
