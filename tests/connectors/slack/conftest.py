"""A Slack workspace in memory, behind the real client's transport."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr

from connectors.contract import Checkpoint, Item
from connectors.model import Document
from connectors.slack.payloads import SlackMessage
from connectors.slack.settings import SlackConnection
from connectors.slack.source import SlackConnector, connect
from connectors.slack.timestamps import ts_key

TOKEN = "xoxb-secret"
Answer = Callable[[dict[str, str]], dict[str, Any]]
Fault = Callable[[str, dict[str, str]], httpx.Response | dict[str, Any] | None]


@dataclass
class Workspace:
    """`messages` by channel and time; replies carry the root's `thread_ts`. Every file holds the same text.

    A `fault` answers before anything else, and `answers` in place of methods; downloads of files have the name `file`
    there and in `calls`.
    """

    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    messages: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    usergroups: dict[str, dict[str, Any]] = field(default_factory=dict)
    bot_id: str | None = None
    page_size: int = 200
    ignores_bounds: bool = False
    cursors: bool = False
    fault: Fault = lambda method, form: None
    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def say(self, channel: str, ts: str, text: str, **more: Any) -> None:
        message = {"type": "message", "ts": ts, "user": "U1", "text": text} | more
        self.messages.setdefault(channel, {})[ts] = message

    def answer(self, request: httpx.Request) -> httpx.Response:
        method = request.url.path.rpartition("/")[2]
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        if request.method == "GET":
            method = "file"
        self.calls.append((method, form))
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        fault = self.fault(method, form)
        if method == "file" and not fault:
            return httpx.Response(200, text="what a file holds")
        handler = self.answers.get(method) or getattr(self, method.replace(".", "_").lower(), None)
        body = fault or (handler(form) if handler else {"ok": False, "error": "unknown_method"})
        return body if isinstance(body, httpx.Response) else httpx.Response(200, json={"ok": True} | body)

    def auth_test(self, form: dict[str, str]) -> dict[str, Any]:
        me = {"url": "https://acme.slack.com/", "team": "Acme", "team_id": "T1", "user": "headrace"}
        return me | ({"bot_id": self.bot_id} if self.bot_id else {})

    def usergroups_list(self, form: dict[str, str]) -> dict[str, Any]:
        return {"usergroups": list(self.usergroups.values())}

    def conversations_list(self, form: dict[str, str]) -> dict[str, Any]:
        return {"channels": list(self.channels.values())}

    def conversations_info(self, form: dict[str, str]) -> dict[str, Any]:
        channel = self.channels.get(form["channel"])
        return {"channel": channel} if channel else {"ok": False, "error": "channel_not_found"}

    def conversations_members(self, form: dict[str, str]) -> dict[str, Any]:
        return {"members": self.members.get(form["channel"], [])}

    def files_list(self, form: dict[str, str]) -> dict[str, Any]:
        return {"files": [], "paging": {"pages": 1}}

    def files_info(self, form: dict[str, str]) -> dict[str, Any]:
        file = self.files.get(form["file"])
        return {"file": file} if file else {"ok": False, "error": "file_not_found"}

    def users_list(self, form: dict[str, str]) -> dict[str, Any]:
        return {"members": list(self.users.values())}

    def users_info(self, form: dict[str, str]) -> dict[str, Any]:
        return {"ok": False, "error": "user_not_found"}

    def conversations_history(self, form: dict[str, str]) -> dict[str, Any]:
        """With `oldest` alone pages run from there to the newest, as on Slack; without `cursors` none is given."""
        oldest, latest = form.get("oldest"), form.get("latest")
        top = [one for one in self._all(form) if one.get("thread_ts", one["ts"]) == one["ts"] or _is_broadcast(one)]
        if not self.ignores_bounds:
            same = (oldest, latest) if form.get("inclusive") == "true" else ()
            top = [one for one in top if not oldest or ts_key(one["ts"]) > ts_key(oldest) or one["ts"] in same]
            top = [one for one in top if not latest or ts_key(one["ts"]) < ts_key(latest) or one["ts"] in same]
        top.sort(key=lambda one: ts_key(one["ts"]), reverse=not (oldest and not latest))
        start = int(form.get("cursor") or 0)
        page = top[start : start + self.page_size]
        page.sort(key=lambda one: ts_key(one["ts"]), reverse=True)
        more = start + self.page_size < len(top)
        answer = {"messages": [self._with_replies(form, one) for one in page], "has_more": more}
        cursor = {"response_metadata": {"next_cursor": str(start + self.page_size)}}
        return answer | (cursor if more and self.cursors else {})

    def conversations_replies(self, form: dict[str, str]) -> dict[str, Any]:
        found = [one for one in self._all(form) if form["ts"] in (one["ts"], one.get("thread_ts"))]
        return {"messages": found} if found else {"ok": False, "error": "thread_not_found"}

    def _all(self, form: dict[str, str]) -> list[dict[str, Any]]:
        return list(self.messages.get(form["channel"], {}).values())

    def _with_replies(self, form: dict[str, str], message: dict[str, Any]) -> dict[str, Any]:
        replies = [one["ts"] for one in self._all(form) if one.get("thread_ts") == message["ts"] != one["ts"]]
        if not replies:
            return message
        latest = max(replies, key=ts_key)
        return message | {"thread_ts": message["ts"], "reply_count": len(replies), "latest_reply": latest}


def _is_broadcast(message: dict[str, Any]) -> bool:
    return message.get("subtype") == "thread_broadcast"


@pytest.fixture
def slack() -> Workspace:
    workspace = Workspace()
    workspace.channels["C1"] = {"id": "C1", "name": "general", "is_private": False}
    for number_, (name, more) in enumerate({"ada": {}, "bo": {}, "guest": {"is_restricted": True}}.items(), start=1):
        profile = {"display_name": name, "email": f"{name}@example.com"}
        workspace.users[f"U{number_}"] = {"id": f"U{number_}", "name": name, "profile": profile} | more
    return workspace


@pytest.fixture
def connector(slack: Workspace) -> Iterator[SlackConnector]:
    connection = SlackConnection(id="acme", source="slack", token=SecretStr(TOKEN))
    opened = connect(connection, httpx.MockTransport(slack.answer))
    yield opened
    opened.close()


def parse_message(fields: dict[str, Any]) -> SlackMessage:
    """A message of which a test gives only what it is about."""
    return SlackMessage.model_validate({"ts": "1772355600.000100"} | fields)


def id_of(item: Item) -> str:
    """The id of the object that an item is about; empty for a checkpoint."""
    return item.id if isinstance(item, Document) else "" if isinstance(item, Checkpoint) else item.document_id


def text_of(document: Document) -> str:
    assert isinstance(document.content, str)
    return document.content


def reply(status: int, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, content=content, headers=headers)
