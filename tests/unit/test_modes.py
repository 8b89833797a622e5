"""What the flags about passing requests on come down to, and what can't work among them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support.reviews import Asked
from twisted.internet.task import Clock

from koproxy.errors import ConfigurationError
from koproxy.identity.added import Added
from koproxy.modes import (
    added_fields,
    make_allowance,
    make_impersonation,
    make_passthrough,
    other_rights,
)
from koproxy.proxy.bucket import TokenBucket
from koproxy.settings import Settings

NONE = Settings()
ASKED = Asked(lambda _: {})


def buckets(settings: Settings, *, stranger: bool = False) -> tuple[TokenBucket, ...]:
    allowance = make_allowance(settings, Clock().seconds)
    assert allowance is not None
    return allowance.buckets(stranger=stranger)


def test_without_flags_there_is_nothing() -> None:
    assert added_fields(NONE) == Added()
    assert make_passthrough(NONE, ASKED.call, Clock()) is None
    assert make_impersonation(NONE, ASKED.call, Clock()) is None
    assert make_allowance(NONE, Clock().seconds) is None
    assert other_rights(NONE) == ()


def test_with_flags_there_is() -> None:
    settings = Settings(
        token_passthrough=True,
        allow_inbound_impersonation=True,
        extra_user_header_client_ip=True,
        extra_user_headers=("A=b",),
    )
    assert added_fields(settings) == Added((("a", ("b",)),), client_ip=True, original=True)
    assert make_passthrough(settings, ASKED.call, Clock()) is not None
    assert make_impersonation(settings, ASKED.call, Clock()) is not None
    assert [right.name for right in other_rights(settings)] == [
        "tokenreviews",
        "serviceaccounts",
        "subjectaccessreviews",
    ]


def test_a_rate_without_a_burst_has_that_of_client_go() -> None:
    (bucket,) = buckets(replace(NONE, kube_client_qps=0.5))
    assert [bucket.wait(60) for _ in range(12)] == [0.0] * 10 + [2.0, 4.0]
    (bucket,) = buckets(replace(NONE, kube_client_qps=1.0, kube_client_burst=1))
    assert [bucket.wait(60) for _ in range(2)] == [0.0, 1.0]


@pytest.mark.parametrize("seconds", [0, -1])
def test_reviews_need_time(seconds: int) -> None:
    settings = replace(NONE, subject_access_review_timeout=timedelta(seconds=seconds))
    with pytest.raises(ConfigurationError, match="--subject-access-review-timeout"):
        make_impersonation(settings, ASKED.call, Clock())


@pytest.mark.parametrize("flags", [{"kube_client_qps": -1.0}, {"kube_client_burst": -1}])
def test_no_rate_is_below_zero(flags: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match="is below 0"):
        make_allowance(replace(NONE, **flags), Clock().seconds)  # type: ignore[arg-type]


def test_a_fixed_field_has_to_be_one_that_can_be_sent() -> None:
    with pytest.raises(ConfigurationError, match="--extra-user-headers"):
        added_fields(replace(NONE, extra_user_headers=("a= b",)))
