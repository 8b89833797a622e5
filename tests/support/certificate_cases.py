"""What clients may come with: `(authorities, chain)` by a name, for koproxy and for Kubernetes."""

from __future__ import annotations

from support.certificates import (
    ANY,
    BMP,
    CLIENT,
    CN,
    DAY,
    IA5,
    NOW,
    OU,
    PRINTABLE,
    SERVER,
    T61,
    UID,
    Issued,
    O,
    root,
)

ROOT = root()
OTHER = root("other", key=1)
BETWEEN = ROOT.issue((CN, "between"), authority=True, usages=())
DEEP = BETWEEN.issue((CN, "deep"), authority=True, usages=())
JANE = (CN, "jane")
RENEWED = root(begins=NOW - 3 * DAY, ends=NOW - DAY)
ELSEWHERE = root(key=1)
ELSEWHERE_UNIDENTIFIED = root(key=1, identified=False)
UNIDENTIFIED = root(identified=False)
NO_AUTHORITY = ROOT.issue((CN, "none"), usages=())
FOR_SERVERS = ROOT.issue((CN, "servers"), authority=True, usages=(SERVER,))
ENDED = ROOT.issue((CN, "ended"), authority=True, usages=(), ends=NOW - DAY / 2)

# By both alike.
BOTH: dict[str, tuple[list[Issued], Issued]] = {
    "a user": ([ROOT], ROOT.issue(JANE)),
    "groups": ([ROOT], ROOT.issue((O, "b"), JANE, (O, "a"), (O, "b"))),
    "other parts of the name": ([ROOT], ROOT.issue((OU, "unit"), JANE)),
    "no user": ([ROOT], ROOT.issue((O, "a"))),
    "no name at all": ([ROOT], ROOT.issue()),
    "an empty user": ([ROOT], ROOT.issue((CN, ""))),
    "two users": ([ROOT], ROOT.issue((CN, "a"), (CN, "b"))),
    "two users, the last one empty": ([ROOT], ROOT.issue((CN, "a"), (CN, ""))),
    "an empty group": ([ROOT], ROOT.issue(JANE, (O, ""))),
    "a long user": ([ROOT], ROOT.issue((CN, "x" * 1000))),
    "signs that are none of ASCII's": ([ROOT], ROOT.issue((CN, "jürgen ☃ 😀"))),
    "in BMPString": ([ROOT], ROOT.issue((CN, "jürgen", BMP))),
    "in T61String, plain": ([ROOT], ROOT.issue((CN, "jane", T61))),
    "in IA5String": ([ROOT], ROOT.issue((CN, "jane@example.com", IA5))),
    "in PrintableString": ([ROOT], ROOT.issue((CN, "jane", PRINTABLE))),
    "a uid": ([ROOT], ROOT.issue(JANE, (UID, "7"))),
    "an empty uid": ([ROOT], ROOT.issue(JANE, (UID, ""))),
    "two uids": ([ROOT], ROOT.issue(JANE, (UID, "7"), (UID, "7"))),
    "two uids and no user": ([ROOT], ROOT.issue((UID, "7"), (UID, "8"))),
    "not yet": ([ROOT], ROOT.issue(JANE, begins=NOW + DAY / 2)),
    "no more": ([ROOT], ROOT.issue(JANE, ends=NOW - DAY / 2)),
    "for anything": ([ROOT], ROOT.issue(JANE, usages=())),
    "for any usage": ([ROOT], ROOT.issue(JANE, usages=(ANY,))),
    "for servers": ([ROOT], ROOT.issue(JANE, usages=(SERVER,))),
    "for both": ([ROOT], ROOT.issue(JANE, usages=(SERVER, CLIENT))),
    "of another authority": ([ROOT], OTHER.issue(JANE)),
    "of one of two authorities": ([ROOT, OTHER], OTHER.issue(JANE)),
    "of an authority of the same name": ([ROOT], ELSEWHERE.issue(JANE)),
    "of one of two of the same name": ([ELSEWHERE, ROOT], ROOT.issue(JANE)),
    "of an authority that was renewed": ([RENEWED, ROOT], ROOT.issue(JANE)),
    "of an authority that has ended": ([RENEWED], ROOT.issue(JANE)),
    "by one between": ([ROOT], BETWEEN.issue(JANE)),
    "by two between": ([ROOT], DEEP.issue(JANE)),
    "by one between that is the authority": ([BETWEEN], BETWEEN.issue(JANE)),
    "by one between, with more than is needed": ([BETWEEN], DEEP.issue(JANE)),
    "by one between that is missing": (
        [ROOT],
        Issued(BETWEEN.issue(JANE).certificate, BETWEEN.key),
    ),
    "by one that is no authority": ([ROOT], NO_AUTHORITY.issue(JANE)),
    "by one for servers": ([ROOT], FOR_SERVERS.issue(JANE)),
    "by one that has ended": ([ROOT], ENDED.issue(JANE)),
    "one that is trusted itself": ([NO_AUTHORITY], NO_AUTHORITY),
    "an authority itself": ([ROOT], ROOT),
    "signed with SHA-1": ([ROOT], ROOT.issue(JANE, broken=True)),
    "with an unknown extension": ([ROOT], ROOT.issue(JANE, critical="1.2.3.4")),
}

# Only by Kubernetes: koproxy can't tell which text was meant, or which key.
OURS: dict[str, tuple[list[Issued], Issued]] = {
    "in T61String, signs that are none of ASCII's": ([ROOT], ROOT.issue((CN, "jürgen", T61))),
    "of one of two of the same name, without identifiers": (
        [ELSEWHERE_UNIDENTIFIED, UNIDENTIFIED],
        UNIDENTIFIED.issue(JANE),
    ),
}
