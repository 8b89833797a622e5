"""Makes ``twistd koproxy`` a command: Twisted finds this file by its place."""

from twisted.application.service import ServiceMaker

koproxy = ServiceMaker(
    "koproxy", "koproxy.twistd", "OIDC log-in for any Kubernetes API server.", "koproxy"
)
