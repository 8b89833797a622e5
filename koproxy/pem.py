"""PEM text into an SSL context, with a sentence for everything that can be wrong with it.

Text comes in and goes to OpenSSL through memory alone: a private key that was given inline is never
written to a disk, and a container with a read-only root needs no temporary folder. Nothing in here
reads a file or decides which file it is: the caller names it, for the sentences.
"""

import os
import re
import ssl
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from koproxy.errors import ConfigurationError

# As Go reads it: BEGIN and END have a line of their own.
_CERTIFICATE = re.compile(
    rb"^-----BEGIN CERTIFICATE-----[ \t]*\r?\n(.*?)^-----END CERTIFICATE-----[ \t]*\r?$",
    re.DOTALL | re.MULTILINE,
)
_KEY = re.compile(
    rb"-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----.*?-----END \1-----",
    re.DOTALL,
)


def certificates(text: bytes, where: str) -> list[x509.Certificate]:
    """The certificates in ``text`` (PEM), of which there is at least one.

    Blocks of other kinds and text between the blocks are passed over. ``where`` names the flag,
    field or file.

    Raises:
        ConfigurationError: there is no certificate, or one of them can't be read.
    """
    blocks = _CERTIFICATE.findall(text)
    if not blocks:
        raise ConfigurationError(
            f"{where} holds no PEM certificate: give the certificates of the authority, each "
            "between BEGIN CERTIFICATE and END CERTIFICATE"
        )
    try:
        return [
            x509.load_der_x509_certificate(b64decode(b"".join(block.split()), validate=True))
            for block in blocks
        ]
    except ValueError:
        raise _damaged(where) from None


def trust(context: ssl.SSLContext, authorities: bytes, where: str) -> None:
    """Trust the certificates in ``authorities`` (PEM), and no others that are not loaded yet.

    ``where`` names the flag, field or file.

    Raises:
        ConfigurationError: there is no certificate, or one of them can't be read.
    """
    try:
        # One at a time: OpenSSL takes a damaged one for the end, and passes over what is behind.
        for each in certificates(authorities, where):
            context.load_verify_locations(cadata=each.public_bytes(serialization.Encoding.DER))
    except ssl.SSLError:
        raise _damaged(where) from None


def identify(
    context: ssl.SSLContext, certificate: bytes, key: bytes, where: str, key_where: str
) -> x509.Certificate:
    """Let ``context`` show ``certificate`` (PEM, the leaf first) and prove it with ``key`` (PEM).

    ``where`` and ``key_where`` name the flags, fields or files. The leaf is returned.

    Raises:
        ConfigurationError: not PEM, an encrypted key, or a key that is not this certificate's.
    """
    if not _CERTIFICATE.search(certificate):
        raise ConfigurationError(
            f"{where} holds no PEM certificate: give the certificate, and those between it and "
            "its authority after it"
        )
    try:
        leaf = x509.load_pem_x509_certificate(certificate)
        certified = leaf.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    except (ValueError, UnsupportedAlgorithm):
        raise _damaged(where) from None
    if _public_half(key, key_where) != certified:
        raise ConfigurationError(
            f"the private key in {key_where} does not fit the certificate in {where}: give the "
            "two that were made together"
        )
    try:
        with _in_memory(certificate) as certificate_file, _in_memory(key) as key_file:
            context.load_cert_chain(certificate_file, key_file, password=b"")
    except ssl.SSLError as error:
        raise ConfigurationError(
            f"OpenSSL refuses the certificate in {where} with its key in {key_where}: "
            f"{error.reason or 'no reason given'}"
        ) from None
    return leaf


def _damaged(where: str) -> ConfigurationError:
    return ConfigurationError(
        f"{where} holds a PEM certificate that can't be read: it is damaged or cut short; "
        "give the whole file again"
    )


def _public_half(key: bytes, where: str) -> bytes:
    block = _KEY.search(key)
    if block is None:
        raise ConfigurationError(
            f"{where} holds no PEM private key: give one, between BEGIN PRIVATE KEY and "
            "END PRIVATE KEY"
        )
    try:
        private = serialization.load_pem_private_key(block.group(), None)
    except TypeError:
        raise ConfigurationError(
            f"the private key in {where} is encrypted, and nobody is there to type a passphrase: "
            "give it unencrypted (openssl pkey -in KEY -out PLAIN), readable for koproxy alone"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(
            f"the private key in {where} can't be read: it is damaged, cut short or of an unknown "
            "kind; give the whole file again"
        ) from None
    return private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """A path under which OpenSSL, which takes only paths, finds ``content`` in memory."""
    with os.fdopen(os.memfd_create("koproxy", os.MFD_CLOEXEC), "wb") as file:
        file.write(content)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"
