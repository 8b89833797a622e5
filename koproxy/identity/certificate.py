"""From a client's certificate to an outcome, as kube-apiserver's ``--client-ca-file`` has it.

"X509 client certificates" in the Kubernetes documentation: the common name is the user name, each
organisation a group. A connection outlasts authorities: what was decided about it holds until they
change, or until something of it expires.
"""

import warnings
from collections.abc import Iterable, Sequence, Set
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import crypto

from koproxy.identity.added import NOTHING, Added
from koproxy.identity.decision import Forbidden, Outcome, Unauthenticated, Verified
from koproxy.identity.impersonation import NotCarried, impersonation_headers
from koproxy.identity.user import Identity

CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
"""The extra field that names the certificate."""

_UID = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")
_USAGES = frozenset((ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE))
_BROKEN_HASHES = (hashes.MD5, hashes.SHA1)
_ENDED = "it, or one that it rests on, has expired"
# By OpenSSL's X509_V_ERR_ numbers, which last longer than its words.
_REASONS = {9: "it, or one that it rests on, is not valid yet", 10: _ENDED}
_UNKNOWN = "it comes from none of the authorities"
_UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    crypto.Error,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


class _Refused(Exception):
    """The certificate is not good; the text is a clause without anything of the certificate."""


class Certificates:
    """Decides about clients' certificates by the authorities that it was given last."""

    def __init__(
        self, *, allow_reserved_groups: Set[str] = frozenset(), added: Added = NOTHING
    ) -> None:
        """Take the ``system:`` groups that certificates may give, and what everybody gets besides.

        There are no authorities yet.
        """
        self._added = added
        self._allow_reserved_groups = allow_reserved_groups
        self._authorities: tuple[crypto.X509, ...] = ()
        self.generation = 0
        """Another number whenever what was decided before holds no longer."""

    def use_authorities(self, authorities: Iterable[x509.Certificate]) -> None:
        """Hold certificates against these and no others."""
        self._authorities = tuple(crypto.X509.from_cryptography(each) for each in authorities)
        self.generation += 1

    def decide(self, chain: Sequence[bytes], now: float) -> Outcome | None:
        """Decide about what a client has shown at ``now``, in seconds since the epoch.

        ``chain`` is its certificate and those that came after it, in DER; the TLS handshake has
        proved that the client has the key. None says that it names nobody: the request is like one
        without a certificate. Unauthenticated leaves it to another credential; all else stands.
        """
        if not chain:
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about what isn't quite as it should be
                verified = self._verify(chain, now)
                identity = _identity(verified[0])
        except _Refused as refused:
            return Unauthenticated(f"the client certificate is not accepted: {refused}")
        except _UNREADABLE:
            return Unauthenticated("the client certificate is not accepted: it can't be read")
        if identity is None:
            return None
        try:
            headers = impersonation_headers(
                identity, allow_reserved_groups=self._allow_reserved_groups, added=self._added
            )
        except NotCarried as problem:
            return Forbidden(str(problem), identity)
        return Verified(headers, identity, _end(verified))

    def _verify(self, chain: Sequence[bytes], now: float) -> list[x509.Certificate]:
        """Give the certificates from the client's up to an authority."""
        leaf, *between = [
            crypto.X509.from_cryptography(x509.load_der_x509_certificate(each)) for each in chain
        ]
        store = crypto.X509Store()
        for authority in self._authorities:
            store.add_cert(authority)
        # As in Go, any certificate in the file is an authority, one of another's too.
        store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
        store.set_time(datetime.fromtimestamp(now, UTC))
        try:
            found = crypto.X509StoreContext(store, leaf, between).get_verified_chain()
        except crypto.X509StoreContextError as problem:
            raise _Refused(_REASONS.get(problem.errors[0], _UNKNOWN)) from None
        verified = [each.to_cryptography() for each in found]
        for each in verified:
            _check_usage(each)
        for each in verified[:-1]:  # nobody relies on what an authority says of itself
            if isinstance(each.signature_hash_algorithm, _BROKEN_HASHES):
                raise _Refused("it is signed with a hash that is broken since years")
        if _end(verified) < now:  # OpenSSL takes whole seconds
            raise _Refused(_ENDED)
        return verified


class Shown:
    """What one client has shown on its connection, and who that is."""

    __slots__ = ("_certificates", "_chain", "_generation", "_verified")

    def __init__(self, certificates: Certificates, chain: Sequence[bytes]) -> None:
        """Take who decides, and the chain that :meth:`Certificates.decide` takes."""
        self._certificates = certificates
        self._chain = chain
        self._verified: Verified | None = None
        self._generation = 0

    def known(self, now: float) -> Verified | None:
        """Who it is, if that was found out before and still holds."""
        verified = self._verified
        if verified is None or self._generation != self._certificates.generation:
            return None
        return verified if now <= verified.expires else None

    def decide(self, now: float) -> Outcome | None:
        """Find it out, as :meth:`Certificates.decide` does."""
        outcome = self._certificates.decide(self._chain, now)
        self._verified = outcome if isinstance(outcome, Verified) else None
        self._generation = self._certificates.generation
        return outcome


def _end(chain: Sequence[x509.Certificate]) -> float:
    return min([each.not_valid_after_utc.timestamp() for each in chain])


def _check_usage(certificate: x509.Certificate) -> None:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if _USAGES.isdisjoint(usages):
        raise _Refused("it is not for clients")


def _identity(certificate: x509.Certificate) -> Identity | None:
    """Read whom a certificate names, if anybody."""
    names: dict[x509.ObjectIdentifier, list[str]] = {}
    for attribute in certificate.subject:
        value = attribute.value
        # Go reads this type as Latin-1, which is not what is given here.
        other = attribute._type is _ASN1Type.T61String and not value.isascii()
        if isinstance(value, bytes) or other:
            raise _Refused("its name is of a type that is not text")
        names.setdefault(attribute.oid, []).append(value)
    common = names.get(NameOID.COMMON_NAME, [""])[-1]
    if not common:
        return None
    uids = names.get(_UID, [])
    if len(uids) > 1:
        raise _Refused("it gives more than one uid")
    if uids == [""]:
        raise _Refused("it gives an empty uid")
    return Identity(
        common,
        uids[0] if uids else "",
        tuple(names.get(NameOID.ORGANIZATION_NAME, ())),
        ((CREDENTIAL_ID, (f"X509SHA256={certificate.fingerprint(hashes.SHA256()).hex()}",)),),
    )
