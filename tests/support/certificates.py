"""Certificates of any kind, also such as nobody should make: for those who have to judge them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import crypto

CN, O, OU = (  # noqa: E741 - as they are written in a certificate's name
    NameOID.COMMON_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
)
UID = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
TEXT, T61, BMP, IA5, PRINTABLE = (
    _ASN1Type.UTF8String,
    _ASN1Type.T61String,
    _ASN1Type.BMPString,
    _ASN1Type.IA5String,
    _ASN1Type.PrintableString,
)
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)

_KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]

Part = tuple[x509.ObjectIdentifier, str] | tuple[x509.ObjectIdentifier, str, _ASN1Type]


def name(parts: Iterable[Part]) -> x509.Name:
    """A distinguished name; each part is text in UTF-8 unless it names another type."""
    made = []
    for oid, value, *kind in parts:
        type_ = kind[0] if kind else TEXT
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made.append(x509.NameAttribute(oid, value, _type=type_, _validate=False))
    return x509.Name(made)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, and those between it and its authority."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    between: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> tuple[bytes, ...]:
        """All of it, as a handshake gives it."""
        return tuple(each.public_bytes(Encoding.DER) for each in (self.certificate, *self.between))

    @property
    def pem(self) -> bytes:
        """The same as a file."""
        return b"".join(
            [each.public_bytes(Encoding.PEM) for each in (self.certificate, *self.between)]
        )

    @property
    def key_pem(self) -> bytes:
        """The key as a file."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def issue(
        self,
        *parts: Part,
        authority: bool = False,
        usages: Sequence[x509.ObjectIdentifier] = (CLIENT,),
        begins: datetime = NOW - DAY,
        ends: datetime = NOW + DAY,
        broken: bool = False,
        critical: str = "",
        names: Sequence[str] = (),
    ) -> Issued:
        """A certificate below this one.

        `critical` is an extension that nobody knows; one that is `broken` is signed with SHA-1.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _make(
            name(parts),
            self.certificate.subject,
            key,
            self.key,
            authority=authority,
            usages=usages,
            begins=begins,
            ends=ends,
            critical=critical,
            names=names,
            identified=_is_identified(self.certificate),
        )
        is_root = self.certificate.subject == self.certificate.issuer
        if broken:
            certificate = _sign_with_sha1(certificate, self.key)
        return Issued(certificate, key, () if is_root else (self.certificate, *self.between))


def root(
    common: str = "root",
    *,
    key: int = 0,
    begins: datetime = NOW - DAY,
    ends: datetime = NOW + DAY,
    usages: Sequence[x509.ObjectIdentifier] = (),
    identified: bool = True,
) -> Issued:
    """An authority that signs itself; one of the same name and `key` is the same one, renewed.

    Without `identified` neither it nor what it signs says which key that was.
    """
    named = name([(CN, common)])
    own = _KEYS[key]
    certificate = _make(
        named,
        named,
        own,
        own,
        authority=True,
        usages=usages,
        begins=begins,
        ends=ends,
        critical="",
        names=(),
        identified=identified,
    )
    return Issued(certificate, own)


def _sign_with_sha1(
    certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    signed = crypto.X509.from_cryptography(certificate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cryptography, which is recommended, doesn't do this
        signed.sign(crypto.PKey.from_cryptography_key(key), "sha1")  # type: ignore[arg-type]
    return signed.to_cryptography()


def _make(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signed_with: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
    usages: Sequence[x509.ObjectIdentifier],
    begins: datetime,
    ends: datetime,
    critical: str,
    names: Sequence[str],
    identified: bool,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if identified:
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        issuers = x509.AuthorityKeyIdentifier.from_issuer_public_key(signed_with.public_key())
        builder = builder.add_extension(own, critical=False).add_extension(issuers, critical=False)
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if names:
        alternatives = x509.SubjectAlternativeName([_general(each) for each in names])
        builder = builder.add_extension(alternatives, critical=False)
    if critical:
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier(critical), b"\x05\x00")
        builder = builder.add_extension(unknown, critical=True)
    return builder.sign(signed_with, hashes.SHA256())


def _general(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _is_identified(certificate: x509.Certificate) -> bool:
    found = {each.oid for each in certificate.extensions}
    return x509.SubjectKeyIdentifier.oid in found
