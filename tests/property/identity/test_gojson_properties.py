"""Whatever the bytes, JSON is read or refused; where Python and Go agree, so does this."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from koproxy.identity.gojson import Members, NotJSON, Number, loads

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def plain(value: Any) -> Any:
    if isinstance(value, Members):
        return {name: plain(member) for name, member in value.last().items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return int(value.text) if isinstance(value, Number) else value


@given(values, st.booleans())
def test_what_json_writes_is_read(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert plain(loads(text)) == value


@given(st.binary() | st.text('[]{}",:\\u0123dDeE.-+ \n\tnultrefas').map(str.encode))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    try:
        value = loads(text)
    except NotJSON:
        return
    _no_surrogate(value)


@given(st.lists(st.integers(0xD7FF, 0xE000), max_size=6))
def test_no_half_of_a_pair_is_left(units: list[int]) -> None:
    text = "".join(f"\\u{unit:04x}" for unit in units)
    value = loads(f'"{text}"'.encode())
    expected = b"".join(unit.to_bytes(2, "little") for unit in units).decode("utf-16-le", "replace")
    _no_surrogate(value)
    # Python puts one replacement for a pair of wrong halves in some places, Go one for each.
    assert [each for each in value if each != "\ufffd"] == [
        each for each in expected if each != "\ufffd"
    ]


@given(st.binary(max_size=20))
def test_broken_text_has_a_replacement_for_each_byte(data: bytes) -> None:
    inside = bytes(byte for byte in data if byte >= 0x20 and byte not in b'"\\')
    value = loads(b'"' + inside + b'"')
    good = inside.decode("utf-8", "ignore").replace("\ufffd", "")
    assert value.replace("\ufffd", "") == good
    replaced = value.count("\ufffd") - inside.decode("utf-8", "ignore").count("\ufffd")
    assert replaced == len(inside) - len(inside.decode("utf-8", "ignore").encode())


def _no_surrogate(value: Any) -> None:
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, list):
        for entry in value:
            _no_surrogate(entry)
    elif isinstance(value, Members):
        for name, member in value.pairs:
            name.encode()
            _no_surrogate(member)
