"""What must hold for field lines by themselves, and for the proxy's own answers."""

import json
import zlib

import h11

from fuzz.plain_grammar import Refused, fields, lines, members
from fuzz.reading import content
from koproxy.wire.fields import Malformed, content_length, field_lines, list_members
from koproxy.wire.status import status_answer

_CODES = (400, 401, 403, 405, 408, 413, 431, 500, 501, 502, 503, 504)


def check_field_lines(data: bytes) -> None:
    try:
        found: list[tuple[bytes, bytes, bytes]] | None = list(field_lines(data))
    except Malformed:
        found = None
    try:
        expected: list[tuple[bytes, bytes, bytes]] | None = fields(lines(data))
    except Refused:
        expected = None
    assert found == expected
    for _, value, _ in found or []:
        assert set(list_members(value)) == members([value])
        try:
            length: int | None = content_length(value)
        except Malformed:
            length = None
        assert (length is not None) == (0 < len(value) <= 18 and value.isdigit())
    if found is not None:
        assert b"".join(line for _, _, line in found) == data


def check_status(data: bytes) -> None:
    text = data.decode(errors="replace")
    seed = zlib.crc32(data)
    code = _CODES[seed % len(_CODES)]
    head_only, keep_alive, again = seed & 32 != 0, seed & 64 != 0, seed >> 7 & 3
    sent = status_answer(code, text, keep_alive=keep_alive, head_only=head_only, retry_after=again)
    client = h11.Connection(h11.CLIENT)
    method = "HEAD" if head_only else "GET"
    client.send(h11.Request(method=method, target="/", headers=[("Host", "k")]))
    client.send(h11.EndOfMessage())
    client.receive_data(sent)
    event = client.next_event()
    assert isinstance(event, h11.Response)
    assert event.status_code == code
    fields = {bytes(name): bytes(value) for name, value in event.headers}
    assert (b"www-authenticate" in fields) == (code == 401)
    assert fields.get(b"retry-after", b"0") == b"%d" % again
    body, ended = content(client)
    assert ended
    assert client.trailing_data[0] == b""
    assert (client.their_state is h11.MUST_CLOSE) != keep_alive
    if not head_only:
        status = json.loads(body)
        assert (status["message"], status["code"], status["kind"]) == (text, code, "Status")
