"""The proxies that the command line trusts to say who a client is, made the data plane's."""

from koproxy.errors import ConfigurationError
from koproxy.proxy.peers import TrustedProxies
from koproxy.settings import Settings


def trusted_proxies_of(settings: Settings) -> TrustedProxies | None:
    """The proxies that the settings name; None: nobody is trusted.

    Raises:
        ConfigurationError: one has no address that can be, or PROXY headers are wanted of nobody.
    """
    if settings.trusted_proxies:
        return TrustedProxies(settings.trusted_proxies)
    if settings.proxy_protocol:
        raise ConfigurationError(
            "--proxy-protocol needs --trusted-proxies: name the load balancers whose connections "
            "begin with a PROXY header"
        )
    return None
