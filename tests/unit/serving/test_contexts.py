"""Which certificate is shown in a handshake, and what becomes of a client's."""

import gc
import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography import x509
from support.handshake import shake_hands

from koproxy.errors import ConfigurationError
from koproxy.proxy.tls import _chain
from koproxy.serving.contexts import Contexts
from koproxy.serving.protocol import Protocol

AUTHORITY = trustme.CA()
CLIENTS = trustme.CA(organization_name="clients")
PAST = datetime.now(UTC) - timedelta(days=2)


def pem_of(*names: str) -> tuple[bytes, bytes]:
    issued = AUTHORITY.issue_cert(*names)
    return issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes()


def contexts(*patterns: tuple[str, ...]) -> Contexts:
    """Contexts whose certificate in each place has a name of its own."""
    made = Contexts(Protocol(), patterns)
    for place in range(len(patterns) + 1):
        made.show(place, pem_of(f"place{place}.example"), "CERT", "KEY")
    return made


def chosen(made: Contexts) -> ssl.SSLContext:
    with socket.socket() as connected:
        return made.choose(connected)


def shown(made: Contexts, name: str | None) -> str:
    """The name in the certificate that a client gets which asks for a name."""
    client = ssl._create_unverified_context()
    ours, _ = shake_hands(chosen(made), client, name)  # type: ignore[arg-type]
    leaf = x509.load_der_x509_certificate(ours.getpeercert(binary_form=True) or b"")
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName)[0].removesuffix(".example")


def client(issued: trustme.LeafCert | None = None) -> ssl.SSLContext:
    context = ssl._create_unverified_context()
    if issued is not None:
        issued.configure_cert(context)
    return context


def asking(authority: trustme.CA = CLIENTS) -> Contexts:
    made = contexts(("other.example",))
    made.ask(authority.cert_pem.bytes(), "CA")
    return made


@pytest.mark.parametrize(
    ("name", "place"),
    [
        (None, "place0"),
        ("nobody.example", "place0"),
        ("a.example", "place1"),
        ("x.a.example", "place2"),
        ("place2.example", "place2"),
    ],
)
def test_a_name_is_asked_for(name: str | None, place: str) -> None:
    assert shown(contexts(("a.example",), ("*.a.example",)), name) == place


def test_a_pair_changes_for_the_next_handshake_and_a_bad_one_for_none() -> None:
    made = contexts(("a.example",))
    made.show(1, pem_of("new.example"), "CERT", "KEY")
    assert shown(made, "a.example") == "new"
    with pytest.raises(ConfigurationError, match="the private key in KEY does not fit"):
        made.show(1, (pem_of("x.example")[0], pem_of("x.example")[1]), "CERT", "KEY")
    assert shown(made, "a.example") == "new"
    assert shown(made, "place0.example") == "place0"


def test_a_pair_with_a_key_of_another_kind_takes_the_place_of_the_old_one() -> None:
    made = contexts()
    issued = AUTHORITY.issue_cert("rsa.example", key_type=trustme.KeyType.RSA)
    pair = issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes()
    made.show(0, pair, "CERT", "KEY")
    assert shown(made, "a.example") == "rsa"


def test_names_of_a_certificate_change_with_it() -> None:
    made = contexts(())
    made.show(1, pem_of("new.example"), "CERT", "KEY")
    assert shown(made, "new.example") == "new"
    assert shown(made, "place1.example") == "place0"


def test_where_a_connection_came_to_counts_without_a_name() -> None:
    made = contexts(("127.0.0.1", "a.example"))
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as connected,
    ):
        context = made.choose(connected)
    insecure = ssl._create_unverified_context()
    for name, place in ((None, 1), ("a.example", 1), ("nobody.example", 0)):
        ours, _ = shake_hands(context, insecure, name)  # type: ignore[arg-type]
        leaf = x509.load_der_x509_certificate(ours.getpeercert(binary_form=True) or b"")
        assert f"place{place}.example" in str(leaf.extensions)


def test_a_name_that_is_none_ends_the_handshake_and_is_not_said(
    capfd: pytest.CaptureFixture[str],
) -> None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = chosen(contexts(("a.example",))).wrap_bio(to_server, to_client, server_side=True)
    hello = ssl.MemoryBIO()
    ours = client().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="xx.example")
    with pytest.raises(ssl.SSLWantReadError):
        ours.do_handshake()
    to_server.write(hello.read().replace(b"xx.example", b"\xff\xfe.example"))
    with pytest.raises(ssl.SSLError):
        theirs.do_handshake()
    gc.collect()
    assert capfd.readouterr().err == ""


def test_nobody_is_asked_for_a_certificate_without_authorities() -> None:
    _, theirs = shake_hands(chosen(contexts()), client(CLIENTS.issue_cert("jane")))
    assert _chain(theirs) == ()


@pytest.mark.parametrize("name", ["localhost", "other.example"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_clients_certificate_comes_with_those_between(name: str, version: ssl.TLSVersion) -> None:
    issued = CLIENTS.create_child_ca().issue_cert("jane")
    ours = client(issued)
    ours.maximum_version = version
    _, theirs = shake_hands(chosen(asking()), ours, name)
    assert _chain(theirs) == tuple(
        ssl.PEM_cert_to_DER_cert(each.bytes().decode()) for each in issued.cert_chain_pems
    )


def test_a_client_may_come_without_one() -> None:
    _, theirs = shake_hands(chosen(asking()), client())
    assert _chain(theirs) == ()


def test_one_that_has_ended_breaks_no_handshake() -> None:
    issued = CLIENTS.issue_cert("jane", not_before=PAST, not_after=PAST + timedelta(days=1))
    _, theirs = shake_hands(chosen(asking()), client(issued))
    assert len(_chain(theirs)) == 1


def test_any_certificate_in_the_file_is_an_authority() -> None:
    child = CLIENTS.create_child_ca()
    _, theirs = shake_hands(chosen(asking(child)), client(child.issue_cert("jane")))
    assert len(_chain(theirs)) == 2


def test_one_of_another_authority_does() -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(chosen(asking()), client(AUTHORITY.issue_cert("jane")))


def test_other_authorities_count_from_the_next_handshake_on() -> None:
    made = asking()
    made.ask(AUTHORITY.cert_pem.bytes(), "CA")
    _, theirs = shake_hands(chosen(made), client(AUTHORITY.issue_cert("jane")))
    assert len(_chain(theirs)) == 1
    for name in ("localhost", "other.example"):
        with pytest.raises(ssl.SSLCertVerificationError):
            shake_hands(chosen(made), client(CLIENTS.issue_cert("jane")), name)


def test_a_bad_file_of_authorities_changes_nothing() -> None:
    made = asking()
    with pytest.raises(ConfigurationError, match="CA holds no PEM certificate"):
        made.ask(b"", "CA")
    _, theirs = shake_hands(chosen(made), client(CLIENTS.issue_cert("jane")))
    assert len(_chain(theirs)) == 1


def test_a_pair_that_changes_goes_on_asking() -> None:
    made = asking()
    made.show(0, pem_of("new.example"), "CERT", "KEY")
    _, theirs = shake_hands(chosen(made), client(CLIENTS.issue_cert("jane")))
    assert len(_chain(theirs)) == 1


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_taken_up_again_brings_the_whole_chain(version: ssl.TLSVersion) -> None:
    issued = CLIENTS.create_child_ca().issue_cert("jane")
    server, ours = chosen(asking()), client(issued)
    ours.maximum_version = version
    first, _ = shake_hands(server, ours)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    again = ours.wrap_bio(to_client, to_server, server_hostname="localhost", session=first.session)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [again, theirs]
    while waiting:
        side = waiting.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(side)
    assert again.session_reused is (version is ssl.TLSVersion.TLSv1_2)
    assert len(_chain(theirs)) == 2
