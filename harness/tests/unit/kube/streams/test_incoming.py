"""What a client sends is kept for a handler, and not without bounds."""

from koproxy_harness.kube.streams.incoming import Brake, Incoming


def test_a_full_stream_stops_the_client_until_it_is_read():
    calls = []
    brake = Brake(lambda: calls.append("pause"), lambda: calls.append("resume"))
    one, other = Incoming(brake), Incoming(brake)
    one.feed(b"x" * 65536)
    other.feed(b"y" * 65536)
    assert calls == ["pause"]
    assert one.read().result == b"x" * 65536
    assert calls == ["pause"]
    other.discard()
    assert calls == ["pause", "resume"]


def test_who_waits_gets_the_next_bytes_and_then_the_end():
    incoming = Incoming(Brake(lambda: None, lambda: None))
    waiting = incoming.read()
    incoming.feed(b"a")
    assert waiting.result == b"a"
    incoming.feed(b"b")
    incoming.end()
    assert incoming.read().result == b"b"
    assert incoming.read().result == b""
