"""JSON as Go reads it, where Python's reading differs."""

import pytest

from koproxy.identity.gojson import Members, NotJSON, Number, TooDeep, loads


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\ud83d"', "\ufffd"),
        (rb'"\ude00\ud83d"', "\ufffd\ufffd"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\\ud83d"', r"\ud83d"),
        (rb'"\\\ud83d"', "\\\ufffd"),
        (rb'"\uD83Dx"', "\ufffdx"),
        (b'"\xff"', "\ufffd"),
        (b'"\xe2\x82x"', "\ufffd\ufffdx"),
        (b'"\xf0\x9f\x98"', "\ufffd\ufffd\ufffd"),
        (b'"\xed\xa0\x80"', "\ufffd\ufffd\ufffd"),
        (b'"\xc3\xa4\x7f"', "\xe4\x7f"),
    ],
)
def test_what_is_no_character_becomes_the_replacement_character(text: bytes, value: str) -> None:
    assert loads(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"NaN", b"Infinity", b"-Infinity", b"01", b"1.", b".5", b"+1", b"0x1", b"nul"),
        *(
            b'{"a":1}x',
            b"{}{}",
            b'{"a":1,}',
            b"{a:1}",
            b"{'a':1}",
            b'"\x01"',
            b'"\\x"',
            b'"\\u12g4"',
        ),
        *(b"\xef\xbb\xbf{}", b"\xc2\xa01", b"\x0b1", b"1\x00", "\u0661".encode(), b"[1 2]", b'"'),
    ],
)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(NotJSON):
        loads(text)


@pytest.mark.parametrize("text", ["1", "-0", "1.5", "1e999", "1" * 5000])
def test_numbers_keep_their_text(text: str) -> None:
    value = loads(text.encode())
    assert isinstance(value, Number)
    assert value.text == text


def test_members_keep_their_order_and_their_doubles() -> None:
    value = loads(b'{"a":1,"b":true,"a":null}')
    assert isinstance(value, Members)
    assert [name for name, _ in value.pairs] == ["a", "b", "a"]
    assert value.last() == {"a": None, "b": True}


def test_names_are_folded_as_go_folds_them() -> None:
    value = loads('{"ISS":1,"i\u017fs":1,"\u212aid":1,"\u0130ss":1,"a\xdf":1}'.encode())
    assert [name for name, _ in value.folded()] == ["iss", "iss", "kid", "i\u0307ss", "a\xdf"]


def test_depth_is_bounded_by_a_refusal() -> None:
    loads(b"[" * 200 + b"]" * 200)
    with pytest.raises(TooDeep):
        loads(b"[" * 100_000 + b"]" * 100_000)
