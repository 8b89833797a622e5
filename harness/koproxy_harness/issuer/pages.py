"""The pages that people see: log in, enter a device's code, log out, and what went wrong.

Plain HTML that works by keyboard, without scripts, in light and dark and on a narrow screen. Pure:
text in, text out, and every text from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --paper: #f6f6f3; --line: #8a8f98;
  --press: #1f5f8b; --on-press: #fff; --wrong: #a3261a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #16191d; --line: #7b828c;
  --press: #8cc4ea; --on-press: #10202c; --wrong: #ff9d8f; } }
* { box-sizing: border-box; }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); }
main { max-width: 24rem; margin: 0 auto; padding: 12vh 1.25rem 2rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; }
p { margin: 0 0 1.25rem; }
label { display: block; font-weight: 600; margin-bottom: .25rem; }
input { width: 100%; font: inherit; color: inherit; padding: .5rem .625rem; margin-bottom: 1rem;
  background: transparent; border: 1px solid var(--line); border-radius: .25rem; }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: .5rem; }
button { font: inherit; padding: .5rem 1.25rem; border: 1px solid var(--press);
  border-radius: .25rem; color: var(--press); background: transparent; cursor: pointer; }
button.first { color: var(--on-press); background: var(--press); }
:focus-visible { outline: 3px solid var(--press); outline-offset: 2px; }
.wrong { color: var(--wrong); font-weight: 600; }
.code { text-transform: uppercase; letter-spacing: .1em; }
.after { margin-top: 1.25rem; }
footer { margin-top: 2.5rem; font-size: .875rem; }
"""

# Form Post Response Mode has the form send itself; without scripts there is the button.
SUBMIT = "document.forms[0].submit()"


def log_in(
    *, action: str, client: str, target: str, username: str, names: Sequence[str], wrong: str = ""
) -> str:
    """The log-in page of a client, which is shown with where it returns to.

    `username` is filled in already; `names` are offered. `wrong` says what was, in a sentence.
    """
    return _page(
        "Log in",
        f"<p>for <strong>{escape(client)}</strong>, which goes on at {escape(target)}</p>"
        f'{_wrong(wrong)}<form method="post" action="{escape(action)}">'
        f"{_person(username, names, wrong)}{_buttons('Log in', 'Cancel')}</form>",
    )


def device(
    action: str, user_code: str, *, username: str, names: Sequence[str], wrong: str = ""
) -> str:
    """The page where the code of a device is entered (RFC 8628 section 3.3)."""
    focus = "" if user_code else " autofocus"
    return _page(
        "Log in to a device",
        "<p>Go on only if the device in front of you shows this code.</p>"
        f'{_wrong(wrong)}<form method="post" action="{escape(action)}">'
        '<label for="user_code">Code</label>'
        f'<input id="user_code" name="user_code" class="code" value="{escape(user_code)}" required'
        f' autocomplete="off" autocapitalize="characters" spellcheck="false"{focus}>'
        f"{_person(username, names, wrong, focus=bool(user_code))}"
        f"{_buttons('Log in', 'Refuse')}</form>",
    )


def log_out(action: str, username: str, parameters: Iterable[tuple[str, str]]) -> str:
    """The question whether somebody wants to be logged out."""
    return _page(
        "Log out?",
        f"<p>You are logged in as <strong>{escape(username)}</strong>.</p>"
        f'<form method="post" action="{escape(action)}">{_hidden(parameters)}'
        '<div class="buttons"><button class="first" name="action" value="log-out" autofocus>'
        "Log out</button></div></form>"
        '<p class="after">To stay logged in, close this page.</p>',
    )


def done(title: str, text: str) -> str:
    """A page that ends something."""
    return _page(title, f'<p role="status">{escape(text)}</p>')


def error(text: str) -> str:
    """A page that says why it does not go on."""
    return _page("This can't go on", f'<p class="wrong" role="alert">{escape(text)}</p>')


def form_post(action: str, parameters: Iterable[tuple[str, str]]) -> str:
    """The answer to a client as a form (OAuth 2.0 Form Post Response Mode section 2)."""
    return _page(
        "Back to where you came from",
        f'<form method="post" action="{escape(action)}">{_hidden(parameters)}'
        '<div class="buttons"><button class="first" autofocus>Go on</button></div></form>'
        f"<script>{SUBMIT}</script>",
    )


def _page(title: str, body: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}"
        "<footer>This issuer is a fake, for tests.</footer></main></body></html>\n"
    )


def _wrong(text: str) -> str:
    return f'<p class="wrong" role="alert" id="wrong">{escape(text)}</p>' if text else ""


def _person(username: str, names: Sequence[str], wrong: str, focus: bool = True) -> str:
    described = ' aria-invalid="true" aria-describedby="wrong"' if wrong else ""
    on_name, on_password = ("", "")
    if focus:
        on_name, on_password = ("", " autofocus") if username else (" autofocus", "")
    offered = ' list="names"' if names else ""
    options = "".join(f'<option value="{escape(name)}"></option>' for name in names)
    datalist = f'<datalist id="names">{options}</datalist>' if names else ""
    return (
        '<label for="username">Name</label>'
        f'<input id="username" name="username" value="{escape(username)}" required'
        f' autocomplete="username" autocapitalize="none" spellcheck="false"'
        f"{offered}{described}{on_name}>{datalist}"
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password"'
        f' autocomplete="current-password"{described}{on_password}>'
        + ("" if names else "<p>Any name and any password will do.</p>")
    )


def _buttons(first: str, second: str) -> str:
    return (
        f'<div class="buttons"><button class="first">{escape(first)}</button>'
        '<button name="action" value="refuse" formnovalidate>'
        f"{escape(second)}</button></div>"
    )


def _hidden(parameters: Iterable[tuple[str, str]]) -> str:
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in parameters
    )
