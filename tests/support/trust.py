"""Trust for issuers, as it is after the files have been taken up for the first time."""

from koproxy.sources.trust import IssuerTrust


def issuer_trust(ca_file: str, certificate_file: str, key_file: str) -> IssuerTrust:
    trust = IssuerTrust(ca_file, certificate_file, key_file)
    trust.take(trust.read())
    return trust
