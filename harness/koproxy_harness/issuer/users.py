"""The people whom an issuer knows, their passwords and their claims.

Pure data and rules, no HTTP. Without any users given, everybody is known: whoever logs in is
taken at their word, and the claims follow from the name.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from koproxy_harness.errors import HarnessError
from koproxy_harness.issuer import tokens

DEFAULT = "jane"  # who is offered on the log-in page when nobody was configured

# The claims that a scope stands for (OpenID Connect Core 1.0 section 5.4; `groups` as Dex has it).
SCOPES: Mapping[str, tuple[str, ...]] = {
    "profile": (
        *("name", "family_name", "given_name", "middle_name", "nickname", "preferred_username"),
        *("profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale"),
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
    "groups": ("groups",),
}
_SCOPED = frozenset(name for names in SCOPES.values() for name in names)


@dataclass(frozen=True)
class User:
    """Somebody who can log in.

    `password`: None takes any. `claims` are added to those that follow from the name (`sub`,
    `name`, `preferred_username`, `email`, `email_verified`, and `groups`, which are `["dev"]`);
    one given as None is left out. Raises `HarnessError` for a claim that JSON has not.
    """

    username: str
    password: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tokens.to_json(self.claims)

    def accepts(self, password: str | None) -> bool:
        """Whether this is the password; takes as long for a wrong one as for the right one."""
        if self.password is None:
            return True
        return hmac.compare_digest(self.password.encode(), (password or "").encode())

    @property
    def all_claims(self) -> dict[str, Any]:
        """Every claim about this user, `sub` among them."""
        name = self.username
        implied = {
            "sub": name,
            "name": name.partition("@")[0].replace(".", " ").title(),
            "preferred_username": name,
            "email": name if "@" in name else f"{name}@example.org",
            "email_verified": True,
            "groups": ["dev"],
        }
        claims = {**implied, **self.claims}
        return {claim: value for claim, value in claims.items() if value is not None}

    def claims_for(self, scopes: Iterable[str]) -> dict[str, Any]:
        """Give the claims that these scopes allow, and those that no scope is known to stand for.

        See OpenID Connect Core 1.0 section 5.4.
        """
        allowed = {claim for scope in scopes for claim in SCOPES.get(scope, ())}
        return {
            claim: value
            for claim, value in self.all_claims.items()
            if claim in allowed or claim not in _SCOPED
        }


class Users:
    """The users of one issuer: those given, or else anybody."""

    def __init__(self, users: Iterable[User] = ()) -> None:
        self._users: dict[str, User] = {}
        for user in users:
            if not isinstance(user, User):
                raise HarnessError(f"{user!r} is no user: give User({user!r})")
            if user.username in self._users:
                raise HarnessError(f"there are two users called {user.username!r}; name them apart")
            self._users[user.username] = user
        self.anybody = not self._users

    @property
    def names(self) -> list[str]:
        """Who was configured, in that order; empty if it is anybody."""
        return [] if self.anybody else list(self._users)

    def find(self, username: str) -> User | None:
        """Give the user of this name, None if there is none."""
        user = self._users.get(username)
        return User(username) if user is None and self.anybody and username else user

    def authenticate(self, username: str, password: str | None) -> User | None:
        """Give the user if the password is right, else None."""
        user = self.find(username)
        return user if user is not None and user.accepts(password) else None

    def set_claims(self, username: str, claims: Mapping[str, Any]) -> None:
        """Change claims of a user from now on; None takes one away.

        Raises `HarnessError` if there are users and none of this name.
        """
        user = self.find(username)
        if user is None:
            raise HarnessError(f"no user is called {username!r}; there are {', '.join(self.names)}")
        self._users[username] = User(username, user.password, {**user.claims, **claims})
