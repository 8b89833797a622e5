"""Answers are kept for a short time, asked for once, and few at a time."""

import pytest
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.python.failure import Failure

from koproxy.sources.answers import Answers, Busy


class Scene:
    """Answers whose questions the test answers; an answer below zero is a bad one."""

    def __init__(self, **how: int) -> None:
        self.now = 0.0
        self.answers: Answers[int] = Answers(
            lambda answer: answer >= 0,
            good_seconds=10,
            bad_seconds=2,
            now=lambda: self.now,
            **how,
        )
        self.asked: list[Deferred[int]] = []
        self.strangers: list[bool] = []

    def ask(self, stranger: bool) -> Deferred[int]:
        self.strangers.append(stranger)
        asked: Deferred[int] = Deferred()
        self.asked.append(asked)
        return asked

    def get(self, question: bytes) -> list[object]:
        found: list[object] = []
        self.answers.get(question, self.ask).addBoth(found.append)
        return found


def test_an_answer_is_asked_for_once_and_kept_for_its_time() -> None:
    scene = Scene()
    one, two = scene.get(b"a"), scene.get(b"a")
    assert (len(scene.asked), one, two) == (1, [], [])
    scene.asked[0].callback(7)
    assert (one, two, scene.get(b"a")) == ([7], [7], [7])
    scene.now = 9.9
    assert scene.answers.known(b"a") == 7
    assert scene.answers.known(b"b") is None
    scene.now = 10
    assert scene.answers.known(b"a") is None
    assert scene.get(b"a") == []
    assert len(scene.asked) == 2


def test_a_bad_answer_holds_for_less_and_ends_a_good_one() -> None:
    scene = Scene()
    scene.get(b"a")
    scene.asked[0].callback(7)
    scene.now = 11
    scene.get(b"a")
    scene.asked[1].callback(-1)
    assert scene.answers.known(b"a") == -1
    scene.now = 13
    assert scene.answers.known(b"a") is None


def test_a_failure_is_for_all_who_wait_and_is_not_kept() -> None:
    scene = Scene()
    one, two = scene.get(b"a"), scene.get(b"a")
    scene.asked[0].errback(ValueError("no"))
    for found in (one, two):
        assert isinstance(found[0], Failure)
        assert found[0].check(ValueError)
    scene.get(b"a")
    assert len(scene.asked) == 2


def test_who_waits_no_longer_ends_it_for_nobody() -> None:
    scene = Scene()
    leaving = scene.answers.get(b"a", scene.ask)
    staying = scene.get(b"a")
    leaving.addErrback(lambda failure: failure.trap(CancelledError))
    leaving.cancel()
    scene.asked[0].callback(1)
    assert staying == [1]


def test_so_many_at_a_time_and_so_many_wait() -> None:
    scene = Scene(at_a_time=2, most_waiting=1)
    found = [scene.get(b"%d" % number) for number in range(3)]
    assert len(scene.asked) == 2
    with pytest.raises(Busy):
        scene.get(b"3")
    assert scene.get(b"1") == []  # who asks what is asked already is not one more
    scene.asked[0].errback(ValueError("no"))
    assert len(scene.asked) == 3
    for asked in scene.asked[1:]:
        asked.callback(5)
    assert found[1:] == [[5], [5]]
    assert scene.get(b"3") == []


def test_a_question_that_was_good_does_not_wait_behind_nonsense() -> None:
    scene = Scene(at_a_time=1, most_waiting=1)
    scene.get(b"known")
    scene.asked.pop().callback(1)
    scene.now = 60
    scene.get(b"nonsense 1")
    scene.get(b"nonsense 2")
    with pytest.raises(Busy):
        scene.get(b"nonsense 3")
    again = scene.get(b"known")
    scene.asked[-1].callback(2)
    assert again == [2]
    assert scene.strangers == [True, True, False]


def test_no_nonsense_has_a_good_answer_forgotten() -> None:
    scene = Scene(most_kept=3)
    scene.get(b"good")
    scene.asked[0].callback(1)
    for number in range(10):
        scene.get(b"%d" % number)
        scene.asked[-1].callback(-1)
    assert scene.answers.known(b"good") == 1
    kept = [number for number in range(10) if scene.answers.known(b"%d" % number) is not None]
    assert kept == [7, 8, 9]


def test_no_turn_is_lost_where_a_long_line_fails_at_once() -> None:
    scene = Scene()
    broken = False

    def ask(stranger: bool) -> Deferred[int]:
        return fail(ValueError()) if broken else Scene.ask(scene, stranger)

    found: list[object] = []
    for number in range(520):
        scene.answers.get(b"%d" % number, ask).addBoth(found.append)
    broken = True
    for asked in scene.asked[:]:
        asked.errback(ValueError())
    assert len(found) == 520
    scene.asked.clear()
    for number in range(9):
        scene.get(b"%d" % number)
    assert len(scene.asked) == 8


def test_what_nobody_waits_for_any_longer_is_not_asked() -> None:
    scene = Scene(at_a_time=1, most_waiting=1)
    scene.get(b"a")
    gone = scene.answers.get(b"b", scene.ask)
    gone.addErrback(lambda _: None)
    gone.cancel()
    scene.asked[0].callback(1)
    assert len(scene.asked) == 1
    assert scene.get(b"b") == []
    assert len(scene.asked) == 2
