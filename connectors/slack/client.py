"""Slack's Web API: form-encoded calls, `ok: false` errors, paging. https://docs.slack.dev/apis/web-api"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeGuard

import httpx

from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    InvalidResponse,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    Unavailable,
)
from connectors.http import ApiClient, parsed, retry_after
from connectors.slack.payloads import count, dicts, fields
from connectors.slack.settings import SlackConnection

Payload: TypeAlias = dict[str, Any]

PAGE_SIZE = 200
"""Slack recommends no more: https://docs.slack.dev/apis/web-api/pagination"""

FILES_PER_PAGE = 200

_END_OF_TIME = "9999999999.999999"
_TIME = re.compile(r"\d{1,11}(\.\d*)?", re.ASCII)

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

    def listing(self, method: str, key: str, **arguments: Any) -> Iterator[Any]:
        """All entries under `key`, page by page. Raises InvalidResponse if a cursor comes again: there is no end."""
        cursors = Cursors(method)
        while True:
            body = self.call(method, limit=PAGE_SIZE, cursor=cursors.last, **arguments)
            yield from body.get(key) or ()
            if not cursors.follow(body):
                return

    def history(self, channel: str, *, oldest: str | None = None, latest: str | None = None) -> Iterator[Page]:
        """Messages outside threads, newest first, page by page, strictly between the two times.

        Servers that give no cursor are asked by time. Raises InvalidResponse if one says that there is more and
        gives no way to it.
        """
        # With `oldest` alone Slack begins at the oldest messages, and not at the newest.
        latest = latest or (_END_OF_TIME if oldest else None)
        cursors, bound = Cursors("conversations.history"), latest
        before: set[str] = set()
        while True:
            body = self.call(
                cursors.method, channel=channel, limit=PAGE_SIZE, oldest=oldest, latest=bound, cursor=cursors.last
            )
            told = {one["ts"]: one for one in dicts(body.get("messages")) if _between(one.get("ts"), oldest, bound)}
            # Messages that come while the pages are read move others to the next page.
            found = [told[ts] for ts in sorted(told.keys() - before, key=number, reverse=True)]
            more = cursors.follow(body) or bool(body.get("has_more"))
            if more and not found and (told or not cursors.last):
                raise InvalidResponse(cursors.method, "it says that there is more, and gives the same again")
            yield Page(found, more)
            if not more:
                return
            before = set(told)
            bound = bound if cursors.last else found[-1]["ts"]

    def message(self, channel: str, ts: str) -> Payload | None:
        """A message outside threads, or the root of one."""
        body = self.call("conversations.history", channel=channel, limit=1, oldest=ts, latest=ts, inclusive=True)
        return next((one for one in dicts(body.get("messages")) if one.get("ts") == ts), None)

    def replies(self, channel: str, thread: str) -> list[Payload]:
        """A thread's messages, the root first; empty if it is gone."""
        found: dict[str, Payload] = {}
        cursors, oldest = Cursors("conversations.replies"), None
        while True:
            try:
                body = self.call(
                    cursors.method, channel=channel, ts=thread, limit=PAGE_SIZE, oldest=oldest, cursor=cursors.last
                )
            except NotFound:
                return []
            known = len(found)
            # The root comes again with every page.
            found |= {one["ts"]: one for one in dicts(body.get("messages")) if is_time(one.get("ts"))}
            if not cursors.follow(body):
                if not body.get("has_more"):
                    return [found[ts] for ts in sorted(found, key=number)]
                if len(found) == known:
                    raise InvalidResponse(cursors.method, "it says that there is more, and gives the same again")
                oldest = max(found, key=number)

    def files(self, channel: str) -> Iterator[Payload]:
        """Files shared in a channel, in whichever thread. Needs the scope files:read.

        This method counts pages: https://docs.slack.dev/reference/methods/files.list
        """
        page, pages = 1, 1
        while page <= pages:
            body = self.call(
                "files.list", channel=channel, count=FILES_PER_PAGE, page=page, show_files_hidden_by_limit=True
            )
            yield from (file for file in dicts(body.get("files")) if file.get("id"))
            pages = count(fields(body.get("paging")).get("pages"))
            page += 1

    def file(self, file: str) -> Payload:
        """What is known of a file. Raises NotFound for a deleted one."""
        found: Payload = self.call("files.info", file=file).get("file") or {"id": file}
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a channel's history: `messages` from the newest to the oldest; whether older ones follow."""

    messages: list[Payload]
    more: bool


class Cursors:
    """Follows the cursors of one listing. https://docs.slack.dev/apis/web-api/pagination"""

    def __init__(self, method: str) -> None:
        self.method = method
        self.last: str | None = None
        self._followed: set[str] = set()

    def follow(self, body: Payload) -> bool:
        """Take the cursor of an answer; whether there is one. Raises InvalidResponse if it has come before."""
        self.last = str(fields(body.get("response_metadata")).get("next_cursor") or "") or None
        if self.last in self._followed:
            raise InvalidResponse(self.method, "its next page is one that was read before")
        if self.last:
            self._followed.add(self.last)
        return self.last is not None


def number(ts: str) -> tuple[int, int]:
    """A message's time as seconds and microseconds; a float would lose digits."""
    seconds, _, fraction = ts.partition(".")
    return int(seconds), int(fraction.ljust(6, "0")[:6] or 0)


def is_time(ts: Any) -> TypeGuard[str]:
    """Whether this is a message's time."""
    return isinstance(ts, str) and _TIME.fullmatch(ts) is not None


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
    return _error(str(response.url), body, retry_after(response.headers))


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
    if not is_time(ts):
        return False
    return (oldest is None or number(ts) > number(oldest)) and (latest is None or number(ts) < number(latest))
