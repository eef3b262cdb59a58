"""Slack in memory, over HTTP: written from the documentation of its Web API, Events API and file objects.

https://docs.slack.dev/apis/web-api · https://docs.slack.dev/apis/events-api

The API speaks under a path prefix, files lie beside it, and links name another host. Its clock moves with each change.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PREFIX = "/prefix/api"
FILES = "/files-pri"
TOKEN = "xoxb-emulated"
SIGNING_SECRET = "signing-secret"
ELSEWHERE = "https://files.elsewhere.test"
"""The host that files' addresses name, as a server behind a proxy does: nobody may follow it there."""
START = 1_772_323_200
"""2026-03-01, in Unix seconds."""
DAY = 86_400

Payload = dict[str, Any]
Fault = Callable[[], Response]


@dataclass
class Slack:
    """The whole service. Its methods change it as people do; `faults` are answered before anything else."""

    channels: dict[str, Payload] = field(default_factory=dict)
    users: dict[str, Payload] = field(default_factory=dict)
    groups: dict[str, Payload] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    messages: dict[str, dict[str, Payload]] = field(default_factory=dict)
    files: dict[str, Payload] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    scopes: set[str] = field(default_factory=lambda: {"channels:read", "groups:read", "mpim:read", "files:read"})
    page_size: int = 200
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    strayed: list[str] = field(default_factory=list)
    clock: float = START

    # ---- what people do

    def channel(self, channel: str, name: str, *, private: bool = False, **more: Any) -> str:
        self.channels[channel] = {"id": channel, "name": name, "is_private": private, "is_archived": False} | more
        self.messages[channel] = {}
        return channel

    def person(self, user: str, name: str, **more: Any) -> str:
        profile = {"display_name": name, "email": f"{name}@acme.test"}
        self.users[user] = {"id": user, "name": name, "profile": profile} | more
        return user

    def say(self, channel: str, text: str, *, at: float | None = None, thread: str | None = None, **more: Any) -> str:
        """Post a message `at` a time (default: a minute after the last); returns its ts."""
        moment = self.clock + 60 if at is None else at
        self.clock = max(self.clock, moment)
        ts = f"{int(moment)}.{len(self.messages[channel]) + 1:06d}"
        message: Payload = {"type": "message", "ts": ts, "user": "U1", "text": text}
        if thread:
            message["thread_ts"] = thread
        self.messages[channel][ts] = message | more
        return ts

    def edit(self, channel: str, ts: str, text: str) -> None:
        self.clock += 60
        self.messages[channel][ts] |= {"text": text, "edited": {"user": "U1", "ts": f"{int(self.clock)}.000000"}}

    def delete(self, channel: str, ts: str) -> None:
        """A root with replies stays as a tombstone, as on Slack."""
        if self._replies(channel, ts):
            self.messages[channel][ts] |= {"subtype": "tombstone", "text": "This message was deleted.", "hidden": True}
        else:
            del self.messages[channel][ts]

    def share(self, channel: str, file: str, content: bytes, *, thread: str | None = None, **more: Any) -> str:
        """Share a file in a message; returns the message's ts."""
        self.clock += 60
        self.contents[file] = content
        self.files[file] = {
            "id": file,
            "name": f"{file}.txt",
            "title": file,
            "mimetype": "text/plain",
            "mode": "hosted",
            "size": len(content),
            "user": "U1",
            "created": int(self.clock),
            "permalink": f"https://acme.slack.test/files/U1/{file}",
            "url_private": f"{ELSEWHERE}{FILES}/{file}",
            "channels": [channel],
        } | more
        ts = self.say(channel, f"see {file}", thread=thread, files=[self.files[file]])
        self.files[file]["shares"] = {"public": {channel: [{"ts": ts, "thread_ts": thread} if thread else {"ts": ts}]}}
        return ts

    def fail(self, times: int, fault: Fault, *, only: str = "") -> None:
        """Answer the next `times` requests of the method `only` with a fault."""
        self.faults += [(only, fault)] * times

    def asked(self) -> Counter[str]:
        return Counter(self.log)

    # ---- what its webhooks say

    def delivery(self, event: Payload, **more: Any) -> tuple[dict[str, str], bytes]:
        """Headers (by lower-case name) and body of a signed Events API delivery at the emulated time."""
        number = len(self.log) + int(self.clock)
        envelope = {"type": "event_callback", "team_id": "T1", "event_id": f"Ev{number}", "event": event} | more
        body = json.dumps(envelope).encode()
        return signature(body, int(self.clock)), body

    # ---- what its methods answer

    def answered(self, path: str, token: str, form: dict[str, str]) -> Response:
        if path.startswith(FILES):
            return self._file(path.rpartition("/")[2], token)
        if not path.startswith(f"{PREFIX}/"):
            self.strayed.append(path)
            return JSONResponse({"ok": False}, 404)
        method = path.removeprefix(f"{PREFIX}/")
        self.log.append(method)
        for place, (only, fault) in enumerate(self.faults):
            if only in ("", method):
                del self.faults[place]
                return fault()
        if token != f"Bearer {TOKEN}":
            return refusal("invalid_auth")
        handler = getattr(self, method.replace(".", "_"), None)
        body = handler(form) if handler else {"ok": False, "error": "unknown_method"}
        return JSONResponse({"ok": True} | body)

    def auth_test(self, form: dict[str, str]) -> Payload:
        return {"url": "https://acme.slack.test/", "team": "Acme", "user": "headrace", "team_id": "T1"}

    def conversations_list(self, form: dict[str, str]) -> Payload:
        kind = form["types"]
        needed = {"public_channel": "channels:read", "private_channel": "groups:read", "mpim": "mpim:read"}[kind]
        if needed not in self.scopes:
            return {"ok": False, "error": "missing_scope", "needed": needed}
        found = [channel for channel in self.channels.values() if _kind(channel) == kind]
        return _paged("channels", found, form)

    def conversations_info(self, form: dict[str, str]) -> Payload:
        channel = self.channels.get(form["channel"])
        return {"channel": channel} if channel else {"ok": False, "error": "channel_not_found"}

    def conversations_members(self, form: dict[str, str]) -> Payload:
        return _paged("members", self.members.get(form["channel"], []), form)

    def users_list(self, form: dict[str, str]) -> Payload:
        return _paged("members", list(self.users.values()), form)

    def users_info(self, form: dict[str, str]) -> Payload:
        return {"ok": False, "error": "user_not_found"}

    def usergroups_list(self, form: dict[str, str]) -> Payload:
        return {"usergroups": list(self.groups.values())}

    def conversations_history(self, form: dict[str, str]) -> Payload:
        if form["channel"] not in self.channels:
            return {"ok": False, "error": "channel_not_found"}
        oldest, latest = float(form.get("oldest", 0)), float(form.get("latest", "inf"))
        found = [
            message
            for message in self.messages[form["channel"]].values()
            if ("thread_ts" not in message or message.get("subtype") == "thread_broadcast")
            and oldest < float(message["ts"]) < latest
        ]
        found.sort(key=lambda message: float(message["ts"]), reverse=True)
        size = min(int(form.get("limit", 100)), self.page_size)
        page = [self._shown(form["channel"], message) for message in found[:size]]
        return {"messages": page, "has_more": len(found) > size}

    def conversations_replies(self, form: dict[str, str]) -> Payload:
        root = self.messages[form["channel"]].get(form["ts"])
        if root is None:
            return {"ok": False, "error": "thread_not_found"}
        replies = self._replies(form["channel"], form["ts"])
        return _paged("messages", [self._shown(form["channel"], root), *replies], form)

    def files_list(self, form: dict[str, str]) -> Payload:
        if "files:read" not in self.scopes:
            return {"ok": False, "error": "missing_scope", "needed": "files:read"}
        since, until = int(form.get("ts_from", 0)), float(form.get("ts_to", "inf"))
        found = [
            file
            for file in self.files.values()
            if form["channel"] in file["channels"] and since <= file["created"] <= until
        ]
        found.sort(key=lambda file: -file["created"])
        size, page = int(form["count"]), int(form["page"])
        pages = -(-len(found) // size)
        return {"files": found[(page - 1) * size : page * size], "paging": {"page": page, "pages": pages}}

    def files_info(self, form: dict[str, str]) -> Payload:
        file = self.files.get(form["file"])
        return {"file": file} if file else {"ok": False, "error": "file_not_found"}

    def _file(self, file: str, token: str) -> Response:
        self.log.append("file")
        if token != f"Bearer {TOKEN}" or "files:read" not in self.scopes:
            return Response("<html>Sign in to Acme</html>", media_type="text/html")
        return Response(self.contents[file], media_type=self.files[file]["mimetype"])

    def _replies(self, channel: str, ts: str) -> list[Payload]:
        return [one for one in self.messages[channel].values() if one.get("thread_ts") == ts]

    def _shown(self, channel: str, message: Payload) -> Payload:
        replies = [one["ts"] for one in self._replies(channel, message["ts"])]
        if not replies:
            return message
        shown = {"thread_ts": message["ts"], "reply_count": len(replies), "latest_reply": max(replies, key=float)}
        return message | shown


def signature(body: bytes, at: int, secret: str = SIGNING_SECRET) -> dict[str, str]:
    """Headers of a signed delivery. https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    digest = hmac.new(secret.encode(), b"v0:%d:%s" % (at, body), hashlib.sha256).hexdigest()
    return {
        "content-type": "application/json",
        "x-slack-request-timestamp": str(at),
        "x-slack-signature": f"v0={digest}",
    }


@contextmanager
def serving(slack: Slack) -> Iterator[str]:
    """Serve it on loopback while the context lasts; yields the base URL of its API."""

    async def answered(request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        return slack.answered(request.url.path, request.headers.get("authorization", ""), form)

    app = Starlette(routes=[Route("/{path:path}", answered, methods=["GET", "POST"])])
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{PREFIX}"
    finally:
        server.should_exit = True
        thread.join()


def refusal(error: str) -> Response:
    return JSONResponse({"ok": False, "error": error})


def rate_limited(seconds: int | None = None) -> Fault:
    headers = {} if seconds is None else {"retry-after": str(seconds)}
    return lambda: JSONResponse({"ok": False, "error": "ratelimited"}, 429, headers)


def broken_gateway() -> Response:
    return Response("<html><body><h1>502 Bad Gateway</h1></body></html>", 502, media_type="text/html")


def cut_short() -> Response:
    return Response('{"ok": true, "messages": [{"ts": "1', 200, media_type="application/json")


def _kind(channel: Payload) -> str:
    if channel.get("is_mpim"):
        return "mpim"
    return "private_channel" if channel["is_private"] else "public_channel"


def _paged(key: str, found: list[Any], form: dict[str, str]) -> Payload:
    """A page by cursor, as most methods give it."""
    start, size = int(form.get("cursor") or 0), int(form.get("limit", 100))
    more = {"next_cursor": str(start + size)} if start + size < len(found) else {"next_cursor": ""}
    return {key: found[start : start + size], "response_metadata": more}
