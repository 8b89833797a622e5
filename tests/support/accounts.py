"""An observer that remembers what it was told, and holds it to the order that it was promised."""

from koproxy.proxy.account import Account


class Accounts:
    """Every account that it was told of, in the order of the first word about each."""

    def __init__(self) -> None:
        self.all: list[Account] = []
        self.told: dict[Account, list[str]] = {}

    def decided(self, account: Account) -> None:
        assert account.decision is not None
        assert not account.sent
        assert not account.status
        self._tell(account, "decided", after=[])

    def answering(self, account: Account) -> None:
        assert account.sent
        assert account.status
        assert not account.ended
        self._tell(account, "answering", after=["decided"])

    def complete(self, account: Account) -> None:
        assert account.status
        assert account.ended
        self._tell(account, "complete", after=["decided", "answering"])

    def _tell(self, account: Account, what: str, *, after: list[str]) -> None:
        if account not in self.told:
            self.all.append(account)
        told = self.told.setdefault(account, [])
        assert told == after[: len(told)]
        told.append(what)

    def of(self, peer: str) -> list[Account]:
        """Those of one client."""
        return [account for account in self.all if account.peer == peer.encode()]
