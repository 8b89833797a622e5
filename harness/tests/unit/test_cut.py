"""Where an answer breaks off, however its bytes come."""

import itertools

from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.serving.cut import Cut

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"
BODY = b"0123456789abcdefghij"


@given(st.integers(0, 25), st.lists(st.integers(0, len(HEAD + BODY)), max_size=6))
def test_the_head_and_so_many_bytes_are_let_through(after: int, places: list[int]) -> None:
    whole = HEAD + BODY
    edges = [0, *sorted(places), len(whole)]
    cut = Cut(after, reset=True)
    through = b"".join(
        cut.let_through(whole[start:end]) for start, end in itertools.pairwise(edges)
    )
    assert through == HEAD + BODY[:after]
    assert cut.done == (after <= len(BODY))
