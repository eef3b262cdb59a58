"""What Slack means by `ok: false`. https://docs.slack.dev/apis/web-api/#responses"""

from __future__ import annotations

import json

import httpx

from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    Gone,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    Unavailable,
)
from connectors.http import retry_after
from connectors.slack.payloads import SlackRefusal

_CREDENTIALS = {
    "account_inactive",
    "invalid_auth",
    "not_authed",
    "org_login_required",
    "team_access_not_granted",
    "token_expired",
    "token_revoked",
}
_ACCESS_TO_METHOD = {"enterprise_is_restricted", "missing_scope", "not_allowed_token_type"}
_ACCESS_TO_OBJECT = {
    "access_denied",
    "ekm_access_denied",
    "is_archived",
    "no_permission",
    "not_in_channel",
    "restricted_action",
}
_NO_METHOD = {"method_deprecated", "unknown_method"}
_ABSENT = {
    "bot_not_found",
    "channel_not_found",
    "file_not_found",
    "message_not_found",
    "thread_not_found",
    "user_not_found",
    "users_not_found",
}
_PASSING = {"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"}


class ObjectRefused(AccessDenied):
    """A channel or another object is refused; the method may be asked about others."""


class NoSuchObject(NotFound):
    """Slack's own word that there is no such object: that a method is not there says nothing of its objects."""


class ObjectGone(NoSuchObject, Gone):
    """Slack's own word that there was such an object, and it was deleted."""


def is_of_method(error: SourceError) -> bool:
    """Whether a method refuses whatever it is asked about: for want of a scope, or because there is no such method."""
    return isinstance(error, AccessDenied | NotFound) and not isinstance(error, ObjectRefused | NoSuchObject)


def refusal(response: httpx.Response) -> SourceError | None:
    """The error that an answer stands for; None for one that is `ok`, or no answer of Slack's."""
    if response.status_code != 200:
        return None
    try:
        answer = SlackRefusal.model_validate(json.loads(response.content))
    except ValueError:
        return None  # the caller parses it too, reports it and asks again
    if answer.ok:
        return None
    return _error(str(response.url).split("?", 1)[0], answer, retry_after(response.headers))


def _error(where: str, answer: SlackRefusal, wait: float | None) -> SourceError:
    code = answer.error
    if code in ("ratelimited", "rate_limited"):
        return RateLimited(where, wait)
    if code in _CREDENTIALS:
        return AuthenticationFailed(where, code)
    if code in _ACCESS_TO_METHOD:
        needed = f", needs the scope {answer.needed}" if answer.needed else ""
        return AccessDenied(where, code + needed, answer.needed)
    if code in _ACCESS_TO_OBJECT:
        return ObjectRefused(where, code)
    if code == "file_deleted":
        return ObjectGone(f"{where} ({code})")
    if code in _ABSENT:
        return NoSuchObject(f"{where} ({code})")
    if code in _NO_METHOD:
        return NotFound(f"{where} ({code})")
    if code in _PASSING:
        return Unavailable(where, code)
    return RequestRejected(where, 200, code)
