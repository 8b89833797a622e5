"""What a server prints goes by its own clock."""

import json
import ssl
import urllib.request
from datetime import UTC, datetime

from koproxy_harness import KubeAPI

TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"


def cells(api):
    """Give what is printed of the one Pod."""
    request = urllib.request.Request(f"{api.url}/api/v1/namespaces/default/pods/web")
    request.add_header("Authorization", f"Bearer {api.admin_token}")
    request.add_header("Accept", TABLE)
    context = ssl.create_default_context(cadata=api.ca_pem)
    with urllib.request.urlopen(request, context=context, timeout=10) as response:
        return json.load(response)["rows"][0]["cells"]


def test_an_age_follows_the_clock():
    with KubeAPI() as api:
        api.clock.set(datetime(2024, 1, 1, tzinfo=UTC))
        api.apply({"kind": "Pod", "metadata": {"name": "web"}})
        api.clock.move(2 * 86400 + 30)
        assert cells(api)[4] == "2d"
        api.clock.move(3600)
        assert cells(api)[4] == "2d1h"
        api.clock.move(-3 * 86400)
        assert cells(api)[4] == "<invalid>"
