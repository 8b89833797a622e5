"""What a request says of the certificate that its client showed."""

from __future__ import annotations

import http.client
import ssl
from hashlib import sha256

from koproxy_harness import KubeAPI
from koproxy_harness.serving.authority import Certificate


def get(api: KubeAPI, certificate: Certificate | None = None) -> None:
    context = ssl.create_default_context(cafile=api.ca_file)
    if certificate is not None:
        context.load_cert_chain(certificate.cert_file, certificate.key_file)
    client = http.client.HTTPSConnection("127.0.0.1", api.port, context=context, timeout=10)
    client.request("GET", "/version")
    with client.getresponse() as response:
        response.read()
    client.close()


def test_the_name_the_groups_and_the_fingerprint_of_a_certificate() -> None:
    with KubeAPI() as api:
        certificate = api.client_certificate("kate", ["ops", "dev"])
        get(api, certificate)
        request = api.requests[-1]
        assert (request.peer_name, request.peer_groups) == ("kate", ("ops", "dev"))
        der = ssl.PEM_cert_to_DER_cert(certificate.cert_file.read_text())
        assert request.peer_fingerprint == sha256(der).hexdigest()


def test_a_client_without_a_certificate() -> None:
    with KubeAPI() as api:
        get(api)
        request = api.requests[-1]
        assert (request.peer_name, request.peer_groups, request.peer_fingerprint) == (None, (), "")
