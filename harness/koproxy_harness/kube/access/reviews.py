"""Answers to reviews: who am I, may I, may they, whose token is this, and give me a token.

They are objects that are only ever created, and kept nowhere.
https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from koproxy_harness.kube.access.access_reviews import AccessReviews
from koproxy_harness.kube.access.aggregation import Object
from koproxy_harness.kube.access.authentication import AUDIENCES, Authentication
from koproxy_harness.kube.access.bodies import body
from koproxy_harness.kube.access.rbac import Objects, Rbac
from koproxy_harness.kube.access.service_account_tokens import InvalidToken, ServiceAccountTokens
from koproxy_harness.kube.access.token_requests import TokenRequests
from koproxy_harness.kube.access.users import User
from koproxy_harness.kube.request_info import RequestInfo
from koproxy_harness.kube.status import Refusal

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Exchange

_AUTHENTICATION = "authentication.k8s.io"
_AUTHORIZATION = "authorization.k8s.io"

Answer = Callable[[User, RequestInfo, Object], Object]


class Reviews:
    """Answers the reviews that are sent to one API server."""

    def __init__(
        self,
        store: Objects,
        rbac: Rbac,
        authentication: Authentication,
        tokens: ServiceAccountTokens,
    ) -> None:
        self._authentication = authentication
        self._now = tokens.now
        access = AccessReviews(rbac)
        requests = TokenRequests(store, tokens)
        self._answers: dict[tuple[str, str, str], tuple[str, str, Answer]] = {
            (_AUTHENTICATION, "selfsubjectreviews", ""): (
                _AUTHENTICATION,
                "SelfSubjectReview",
                self._identity,
            ),
            (_AUTHENTICATION, "tokenreviews", ""): (
                _AUTHENTICATION,
                "TokenReview",
                self._token,
            ),
            (_AUTHORIZATION, "selfsubjectaccessreviews", ""): (
                _AUTHORIZATION,
                "SelfSubjectAccessReview",
                access.own,
            ),
            (_AUTHORIZATION, "selfsubjectrulesreviews", ""): (
                _AUTHORIZATION,
                "SelfSubjectRulesReview",
                access.rules,
            ),
            (_AUTHORIZATION, "subjectaccessreviews", ""): (
                _AUTHORIZATION,
                "SubjectAccessReview",
                access.others,
            ),
            (_AUTHORIZATION, "localsubjectaccessreviews", ""): (
                _AUTHORIZATION,
                "LocalSubjectAccessReview",
                access.local,
            ),
            ("", "serviceaccounts", "token"): (
                _AUTHENTICATION,
                "TokenRequest",
                lambda _, info, given: requests.answer(info, given),
            ),
        }

    def knows(self, info: RequestInfo) -> bool:
        """Whether a request is about a review, or for a token of a service account."""
        return (info.group, info.resource, info.subresource) in self._answers

    def answer(self, exchange: Exchange, info: RequestInfo, user: User) -> None:
        """Answer a request, whose body is there, by this user.

        Raises `Refusal`: 400, 415 and 422 for what can't be read or has no sense, 405 for another
        method than POST, and what `TokenRequests` refuses.
        """
        if info.verb != "create":
            raise Refusal(405, "the server does not allow this method on the requested resource")
        group, kind, answer = self._answers[info.group, info.resource, info.subresource]
        given = body(exchange.request, info.namespace, f"{group}/v1", kind)
        exchange.respond(201, answer(user, info, given))

    def _identity(self, user: User, info: RequestInfo, given: Object) -> Object:
        created = f"{datetime.fromtimestamp(self._now(), UTC):%Y-%m-%dT%H:%M:%SZ}"
        return {
            "kind": given["kind"],
            "apiVersion": given["apiVersion"],
            "metadata": {"creationTimestamp": created},
            "status": {"userInfo": user.json},
        }

    def _token(self, user: User, info: RequestInfo, given: Object) -> Object:
        spec = given.get("spec") or {}
        token = spec.get("token")
        if not token:
            raise Refusal(400, "token is required for TokenReview in authentication")
        try:
            found, audiences = self._authentication.by_token(
                token, spec.get("audiences") or AUDIENCES
            )
        except InvalidToken as wrong:
            return {**given, "status": {"user": {}, "error": str(wrong)}}
        status = {"authenticated": True, "user": found.json, "audiences": audiences}
        return {**given, "status": status}
