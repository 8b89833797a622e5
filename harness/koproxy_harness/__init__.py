"""A fake OIDC issuer and a mock Kubernetes API server for tests."""

from koproxy_harness.errors import HarnessError
from koproxy_harness.issuer.issuer import Issuer
from koproxy_harness.issuer.keys import ALGORITHMS, KeySet, SigningKey
from koproxy_harness.issuer.wrong import WRONG
from koproxy_harness.kube.api import KubeAPI
from koproxy_harness.serving.authority import Certificate
from koproxy_harness.serving.exchange import Exchange, Request
from koproxy_harness.serving.server import Refused

__version__ = "0.1.0"

__all__ = [
    "ALGORITHMS",
    "WRONG",
    "Certificate",
    "Exchange",
    "HarnessError",
    "Issuer",
    "KeySet",
    "KubeAPI",
    "Refused",
    "Request",
    "SigningKey",
]
