"""Slack's Web API: form-encoded calls, `ok: false` errors, paging. https://docs.slack.dev/apis/web-api"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

import httpx

from connectors.connection import SlackConnection
from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    Unavailable,
)
from connectors.http import ApiClient, parsed, retry_after

Payload: TypeAlias = dict[str, Any]

PAGE_SIZE = 200
"""Slack recommends no more: https://docs.slack.dev/apis/web-api/pagination"""

FILES_PER_PAGE = 100

_CREDENTIALS = {
    "account_inactive",
    "invalid_auth",
    "not_authed",
    "org_login_required",
    "team_access_not_granted",
    "token_expired",
    "token_revoked",
}
_ACCESS = {
    "access_denied",
    "ekm_access_denied",
    "enterprise_is_restricted",
    "is_archived",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "not_in_channel",
    "restricted_action",
}
_ABSENT = {
    "channel_not_found",
    "file_deleted",
    "file_not_found",
    "message_not_found",
    "thread_not_found",
    "user_not_found",
    "users_not_found",
}
_PASSING = {"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"}


class SlackClient:
    """One token on one workspace. Every method may raise SourceError."""

    def __init__(self, connection: SlackConnection, transport: httpx.BaseTransport | None = None) -> None:
        token = connection.token.get_secret_value().strip()
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "headrace"}
        # Slack counts each method apart: https://docs.slack.dev/apis/web-api/rate-limits
        self._api = ApiClient(
            connection.base_url, headers, check=refusal, tier=lambda path: path.rpartition("/")[2], transport=transport
        )

    @property
    def requests(self) -> int:
        return self._api.requests

    def close(self) -> None:
        self._api.close()

    def call(self, method: str, **arguments: Any) -> Payload:
        """The answer of a method. Arguments that are None are left out."""
        body: Payload = self._api.send("POST", method, data=_form(arguments), parse=parsed)
        return body

    def scopes(self) -> str:
        """Scopes of the token, as Slack lists them in the header of every answer; empty if it does not."""
        scopes: str = self._api.send(
            "POST", "auth.test", parse=lambda response: response.headers.get("x-oauth-scopes", "")
        )
        return scopes

    def listing(self, method: str, key: str, **arguments: Any) -> Iterator[Payload]:
        """All entries under `key`, page by page. A cursor that comes again ends the listing."""
        cursor: str | None = None
        followed: set[str] = set()
        while True:
            body = self.call(method, limit=PAGE_SIZE, cursor=cursor, **arguments)
            yield from body.get(key) or ()
            cursor = (body.get("response_metadata") or {}).get("next_cursor")
            if not cursor or cursor in followed:
                return
            followed.add(cursor)

    def history(self, channel: str, *, oldest: str | None = None, latest: str | None = None) -> Iterator[list[Payload]]:
        """Messages outside threads, newest first, page by page, strictly between the two times.

        Pages are asked for by time and not by cursor: an interrupted reading continues from the time alone.
        """
        while True:
            body = self.call("conversations.history", channel=channel, limit=PAGE_SIZE, oldest=oldest, latest=latest)
            page = [one for one in body.get("messages") or () if _between(one.get("ts"), oldest, latest)]
            page.sort(key=lambda message: number(message["ts"]), reverse=True)
            if not page:
                return
            yield page
            if not body.get("has_more"):
                return
            latest = page[-1]["ts"]

    def files(self, channel: str, *, since: int | None = None, until: int | None = None) -> Iterator[list[Payload]]:
        """Files shared in a channel between two times (Unix seconds), newest first, page by page.

        This method counts pages: https://docs.slack.dev/reference/methods/files.list
        """
        page, known = 1, set[str]()
        while True:
            body = self.call("files.list", channel=channel, ts_from=since, ts_to=until, count=FILES_PER_PAGE, page=page)
            found = [file for file in body.get("files") or () if file.get("id") and file["id"] not in known]
            if not found:
                return
            known.update(str(file["id"]) for file in found)
            yield found
            page += 1
            if page > int((body.get("paging") or {}).get("pages") or 1):
                return

    def replies(self, channel: str, thread: str) -> list[Payload]:
        """A thread's messages, the root first; empty if it is gone."""
        try:
            found = list(self.listing("conversations.replies", "messages", channel=channel, ts=thread))
        except NotFound:
            return []
        unique = {message["ts"]: message for message in found if message.get("ts")}
        return [unique[ts] for ts in sorted(unique, key=number)]


def number(ts: str) -> tuple[int, int]:
    """A message's time as seconds and microseconds; a float would lose digits."""
    seconds, _, fraction = ts.partition(".")
    return int(seconds), int(fraction.ljust(6, "0")[:6] or 0)


def refusal(response: httpx.Response) -> SourceError | None:
    """What `ok: false` stands for. https://docs.slack.dev/apis/web-api/#responses"""
    if response.status_code != 200:
        return None
    try:
        body = json.loads(response.content)
    except ValueError:
        return None  # told by whoever parses it, who also asks again
    if not isinstance(body, dict) or body.get("ok", True):
        return None
    return _error(str(response.url), body, retry_after(response))


def _error(url: str, body: Payload, wait: float | None) -> SourceError:
    where = url.split("?", 1)[0]
    code = str(body.get("error") or "unknown error")
    if code in ("ratelimited", "rate_limited"):
        return RateLimited(where, wait)
    if code in _CREDENTIALS:
        return AuthenticationFailed(where, code)
    if code in _ACCESS:
        needed = f", needs the scope {body['needed']}" if body.get("needed") else ""
        return AccessDenied(where, code + needed)
    if code in _ABSENT:
        return NotFound(f"{where} ({code})")
    if code in _PASSING:
        return Unavailable(where, code)
    return RequestRejected(where, 200, code)


def _form(arguments: Payload) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in arguments.items()
        if value is not None
    }


def _between(ts: Any, oldest: str | None, latest: str | None) -> bool:
    """The bounds once more, for servers that ignore them."""
    if not isinstance(ts, str) or not ts.partition(".")[0].isdigit():
        return False
    return (oldest is None or number(ts) > number(oldest)) and (latest is None or number(ts) < number(latest))
