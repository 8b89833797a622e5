"""What workers show each other."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koproxy.observe.board import VARIABLE, Board, handed_over_board, make_board


@pytest.fixture
def board() -> Iterator[int]:
    descriptor = make_board(3)
    yield descriptor
    os.close(descriptor)


@given(st.lists(st.tuples(st.integers(1, 3), st.text(st.characters(codec="utf-8"))), max_size=9))
def test_everybody_sees_what_the_others_showed_last(shown: list[tuple[int, str]]) -> None:
    descriptor = make_board(3)
    try:
        boards = {number: Board(descriptor, number) for number in (1, 2, 3)}
        last: dict[int, str] = {}
        for number, text in shown:
            boards[number].write(text)
            last[number] = text
            for reader, each in boards.items():
                assert each.others() == {n: t for n, t in last.items() if t and n != reader}
    finally:
        os.close(descriptor)


def test_what_is_half_written_is_not_shown(board: int) -> None:
    Board(board, 1).write("one")
    Board(board, 2).write("two")
    os.pwrite(board, b"T", (1 << 20) + 8)
    assert Board(board, 3).others() == {1: "one"}


def test_what_is_too_long_leaves_the_last_there(board: int) -> None:
    Board(board, 1).write("one")
    Board(board, 1).write("x" * (1 << 20))
    assert Board(board, 2).others() == {1: "one"}


def test_it_is_taken_out_of_the_environment(board: int) -> None:
    environ = {VARIABLE: f"{board}:2", "HOME": "/"}
    found = handed_over_board(environ)
    assert found is not None
    assert found.number == 2
    assert environ == {"HOME": "/"}
    assert not os.get_inheritable(board)
    assert handed_over_board(environ) is None
