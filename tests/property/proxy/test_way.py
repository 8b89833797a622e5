"""The whole way of a request in memory, with several clients and connections at a time: whatever
anybody sends, in whatever pieces, and whenever anybody goes, waits or is late.

Hypothesis thinks of what happens; the promises hold after every step. ``WAY_EXAMPLES`` is the
number of histories, for a thorough run.
"""

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from property.proxy import promises, replies, traffic
from property.proxy.deciding import DECISIONS
from property.proxy.disturbing import DISTURBANCES
from property.proxy.world import World

from koproxy.identity.decision import Outcome

ANY = st.integers(min_value=0, max_value=5)
ALL = 100_000
SIZES = st.sampled_from([ALL, ALL, ALL, 1, 20, 150, 1500])
ASKED = traffic.GOOD | traffic.BAD
AT_ONCE = ["get", "get 1.0, keep-alive", "put, expect", "spdy", "websocket", "patch"]
KINDS = st.one_of(
    st.sampled_from(sorted(traffic.GOOD)),
    st.sampled_from(sorted(traffic.GOOD)),
    st.sampled_from(sorted(traffic.GOOD)),
    st.sampled_from(sorted(traffic.BAD)) | st.binary(max_size=20) | st.integers(0, 200),
)
ANSWERS = [*["sized", "chunks", "large"] * 4, *sorted(replies.WHOLE)]
ODD = replies.INTERIM | replies.UNAUTHORIZED | replies.SWITCH | replies.BAD


class Way(RuleBasedStateMachine):
    """What can happen; as few rules as can be, so that most steps do something."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @initialize(late=st.sampled_from([False, False, True]))
    def connections_are_made(self, late: bool) -> None:
        self.world.stack.connects_late = late

    @invariant()
    def promises_hold(self) -> None:
        promises.hold(self.world)

    def teardown(self) -> None:
        promises.hold_at_the_end(self.world)

    # Clients.

    @rule(who=ANY, kind=KINDS, token=st.sampled_from(traffic.TOKENS), size=SIZES)
    def ask(self, who: int, kind: str | bytes | int, token: bytes, size: int) -> None:
        """Ask something good or bad; or send anything, or half of a request."""
        if isinstance(kind, str):
            self.world.ask(who, ASKED[kind], token, size)
        elif isinstance(kind, bytes):
            self.world.ask(who, lambda _name, _token: kind, token, size)
        else:
            whole = ASKED["post, chunks, trailer"]
            self.world.ask(who, lambda name, token: whole(name, token)[:kind], token, size)

    @rule(who=ANY, kind=st.sampled_from(AT_ONCE))
    def ask_at_once(self, who: int, kind: str) -> None:
        self.world.ask(who, ASKED[kind], b"jane", ALL)

    @precondition(lambda self: self.world.sending)
    @rule(which=ANY, size=SIZES)
    def send_on(self, which: int, size: int) -> None:
        sending = self.world.sending
        sending[which % len(sending)].deliver(size)

    # The API server.

    @precondition(lambda self: self.world.busy)
    @rule(which=ANY, kind=st.sampled_from(ANSWERS), size=SIZES)
    def answer(self, which: int, kind: str, size: int) -> None:
        busy = self.world.busy
        self.world.reply(busy[which % len(busy)], replies.WHOLE[kind], size)

    @precondition(lambda self: self.world.busy)
    @rule(which=ANY, kind=st.sampled_from(sorted(ODD)), size=SIZES)
    def answer_oddly(self, which: int, kind: str, size: int) -> None:
        busy = self.world.busy
        self.world.reply(busy[which % len(busy)], ODD[kind], size)

    @precondition(lambda self: self.world.asked_to_switch)
    @rule(which=ANY)
    def switch(self, which: int) -> None:
        asked = self.world.asked_to_switch
        server = asked[which % len(asked)]
        assert server.sending is not None
        spdy = server.sending.message.request.upgrade == b"spdy/3.1"
        kind = "101 SPDY" if spdy else "101 websocket"
        self.world.reply(server, replies.SWITCH[kind], ALL)

    @precondition(lambda self: self.world.speaking)
    @rule(which=ANY, size=SIZES)
    def answer_on(self, which: int, size: int) -> None:
        speaking = self.world.speaking
        self.world.deliver(speaking[which % len(speaking)], size)

    @precondition(lambda self: self.world.busy)
    @rule(which=ANY, clean=st.booleans())
    def go(self, which: int, clean: bool) -> None:
        busy = self.world.fragile or self.world.busy
        busy[which % len(busy)].end(clean=clean)

    # Whoever decides, connects, and looks after the proxy's credential.

    @precondition(lambda self: self.world.authentication.waiting)
    @rule(which=ANY, outcome=st.sampled_from(DECISIONS))
    def decide(self, which: int, outcome: Outcome | RuntimeError) -> None:
        waiting = list(self.world.authentication.waiting)
        self.world.authentication.settle(waiting[which % len(waiting)], outcome)

    @precondition(lambda self: self.world.stack.connecting)
    @rule(problem=st.sampled_from([None, None, None, "it refused the connection"]))
    def connect(self, problem: str | None) -> None:
        self.world.connect(problem)

    @precondition(lambda self: self.world.doubts)
    @rule(which=ANY, refused=st.booleans(), renewed=st.booleans())
    def settle(self, which: int, refused: bool, renewed: bool) -> None:
        if renewed:
            self.world.renew(certificate=False)
        self.world.settle(which, refused=refused)

    # Who is slow, who goes, and all else.

    @precondition(lambda self: self.world.present)
    @rule(which=ANY, what=st.sampled_from(sorted(DISTURBANCES)))
    def disturb(self, which: int, what: str) -> None:
        DISTURBANCES[what](self.world, which)


TestWay = Way.TestCase
TestWay.settings = settings(
    max_examples=int(os.environ.get("WAY_EXAMPLES", "150")), stateful_step_count=100, deadline=None
)
