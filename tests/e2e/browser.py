"""A browser for one log-in: opens a URL, fills in the form of the page, sends it, and goes on.

Run as a program, with the URL as its argument: `CA` is a file, `PERSON` and `PASSWORD` log in. It
knows HTML forms, redirects and nothing of the issuer.
"""

import os
import ssl
import sys
import urllib.parse
import urllib.request
from html.parser import HTMLParser


class Form(HTMLParser):
    """The first form of a page: where it goes, and its fields with what they hold already."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.method = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action, self.method = given["action"], given["method"]
        elif tag == "input":
            self.fields[given["name"]] = given.get("value", "")


def main() -> None:
    """Log in."""
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=os.environ["CA"])),
        urllib.request.ProxyHandler({}),
    )
    with opener.open(sys.argv[1], timeout=30) as answer:
        form, base = Form(answer.read().decode()), answer.url
    assert form.method == "post", form.method
    filled = {
        **form.fields,
        "username": os.environ["PERSON"],
        "password": os.environ["PASSWORD"],
    }
    sent = urllib.parse.urlencode(filled).encode()
    opener.open(urllib.parse.urljoin(base, form.action), sent, timeout=30).close()


main()
