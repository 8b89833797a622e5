"""Where a server listens, and the URL that says so."""

import json
import socket
import ssl
import urllib.request

import pytest
from koproxy_harness import HarnessError, Issuer, KubeAPI


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as listening:
            listening.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
def test_the_url_of_an_ipv6_address_has_brackets():
    with Issuer(address="::1") as issuer, KubeAPI(issuer, address="::1") as api:
        assert issuer.url == f"https://[::1]:{issuer.port}"
        assert f"server: https://[::1]:{api.port}\n" in api.kubeconfig()
        for server, path in ((issuer, "/.well-known/openid-configuration"), (api, "/version")):
            request = urllib.request.Request(
                server.url + path, headers={"Authorization": f"Bearer {api.admin_token}"}
            )
            trust = ssl.create_default_context(cadata=server.ca_pem)
            with urllib.request.urlopen(request, context=trust, timeout=10) as answer:
                assert json.load(answer)
        asked = "client_id=a&response_type=code&scope=openid&redirect_uri=http://[::1]:1/"
        assert "code=" in issuer.log_in(f"{issuer.url}/authorize?{asked}")


@pytest.mark.parametrize("server", [Issuer, KubeAPI])
@pytest.mark.parametrize("port", ["8080", 70000, -1, 80.0, None, True])
def test_a_port_is_a_number_that_there_is(server, port):
    with pytest.raises(HarnessError, match=f"from 1 to 65535, or 0 for a free one, not {port!r}"):
        server(port=port)
