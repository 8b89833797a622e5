"""koproxy's fetching without a reactor, so that a decision is there when the call returns."""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Container
from pathlib import Path
from urllib.error import HTTPError

from koproxy.sources.fetch import FetchError


class BlockingFetcher:
    """Has the one method of a Fetcher."""

    def __init__(self, authorities: Path) -> None:
        self._context = ssl.create_default_context(cafile=authorities)

    async def get(self, url: str, *, token: str = "", statuses: Container[int] = (200,)) -> bytes:
        """Fetch a document."""
        if not url.startswith("https://"):
            raise FetchError("its URL is not https")
        request = urllib.request.Request(url)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=30, context=self._context) as response:
                assert response.status in statuses
                return bytes(response.read())
        except HTTPError as answer:
            with answer:
                raise FetchError(f"it answered with status {answer.code}") from None
