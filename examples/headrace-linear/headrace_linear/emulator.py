"""Linear in memory, as a function from requests to responses: written from its schema and its developers' pages.

https://linear.app/developers/graphql · https://linear.app/developers/webhooks

It knows the operations of `payloads.QUERIES` by their names, and gives every field whether it was asked for or not.
Its clock moves a minute with each change.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

TOKEN = "lin_api_emulated"  # noqa: S105 - of nobody
WEBHOOK_SECRET = "lin_wh_emulated"  # noqa: S105 - of nobody

Values = dict[str, Any]


@dataclass
class LinearEmulator:
    """The whole workspace. Its methods change it as people do."""

    teams: dict[str, Values] = field(default_factory=dict)
    users: list[Values] = field(default_factory=list)
    members: dict[str, list[str]] = field(default_factory=dict)
    issues: dict[str, Values] = field(default_factory=dict)
    comments: dict[str, list[Values]] = field(default_factory=dict)
    page_size: int = 100
    clock: datetime = datetime(2026, 3, 1, 9, tzinfo=UTC)
    made: int = 0

    # ---- what people do

    def user(self, name: str, **more: Any) -> str:
        email = f"{name.lower()}@acme.test"
        self.users.append({"name": name, "email": email, "active": True, "guest": False} | more)
        return email

    def team(self, key: str, name: str, *members: str, visibility: str = "public") -> str:
        own = self._id()
        self.teams[own] = {"id": own, "key": key, "name": name, "visibility": visibility}
        self.members[own] = list(members)
        return own

    def issue(self, team: str, title: str, description: str = "", **more: Any) -> str:
        own, now = self._id(), self._tick()
        number = sum(issue["team"]["id"] == team for issue in self.issues.values()) + 1
        identifier = f"{self.teams[team]['key']}-{number}"
        self.issues[own] = {
            "id": own,
            "identifier": identifier,
            "title": title,
            "description": description,
            "url": f"https://linear.test/acme/issue/{identifier}",
            "priorityLabel": "High",
            "createdAt": now,
            "updatedAt": now,
            "archivedAt": None,
            "trashed": None,
            "state": {"name": "In Progress"},
            "labels": {"nodes": [{"name": "Bug"}]},
            "creator": {"name": "Ada"},
            "assignee": None,
            "team": {"id": team},
        } | more
        self.comments[own] = []
        return own

    def edit(self, issue: str, **changes: Any) -> None:
        self.issues[issue] |= changes | {"updatedAt": self._tick()}

    def archive(self, issue: str) -> None:
        self.edit(issue, archivedAt=_text(self.clock))

    def delete(self, issue: str) -> None:
        del self.issues[issue]

    def comment(self, issue: str, body: str, name: str = "Bob") -> str:
        """Says something about an issue, of which the issue's own time tells nothing."""
        own, now = self._id(), self._tick()
        said = {"id": own, "body": body, "createdAt": now, "updatedAt": now, "user": {"name": name}}
        self.comments[issue].insert(0, said)
        return own

    def wait(self, **passed: float) -> None:
        self.clock += timedelta(**passed)

    # ---- what its webhooks say

    def delivery(self, kind: str, action: str, data: Values, at: float | None = None) -> tuple[dict[str, str], bytes]:
        """Headers (by lower-case name) and body of a signed delivery, sent now or at a Unix time."""
        sent = time.time() if at is None else at
        said = {"action": action, "type": kind, "data": data, "webhookTimestamp": int(sent * 1000)}
        body = json.dumps(said | {"organizationId": str(uuid.UUID(int=1)), "createdAt": _text(self.clock)}).encode()
        digest = hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/json; charset=utf-8",
            "linear-delivery": self._id(),
            "linear-event": kind,
            "linear-signature": digest,
        }
        return headers, body

    def issue_delivery(self, issue: str, action: str = "update") -> tuple[dict[str, str], bytes]:
        told = self.issues[issue]
        data = {"id": issue, "teamId": told["team"]["id"], "title": told["title"]}
        return self.delivery("Issue", action, data)

    # ---- what its API answers

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method != "POST" or request.url.path != "/graphql":
            return httpx.Response(404, text="Not Found")
        if request.headers.get("authorization") != TOKEN:
            return refusal(401, "AUTHENTICATION_ERROR", "Authentication required, not authenticated")
        asked = json.loads(request.content)
        variables = asked["variables"]
        match asked["operationName"]:
            case "Viewer":
                return _data(viewer={"name": "Headrace"}, organization={"name": "Acme", "urlKey": "acme"})
            case "Teams":
                return _data(teams=self._page(list(self.teams.values()), variables))
            case "Users":
                return _data(users=self._page(self.users, variables))
            case "Members":
                people = [user for user in self.users if user["email"] in self.members[variables["team"]]]
                return _data(team={"members": self._page(people, variables)})
            case "Issues" | "IssueTimes":
                return _data(issues=self._page(self._found(variables), variables, self._shown))
        issue = self.issues.get(variables["id"])
        if issue is None:
            return refusal(200, "INPUT_ERROR", "Entity not found: Issue")
        if asked["operationName"] == "IssueComments":
            return _data(issue={"comments": self._page(self.comments[issue["id"]], variables)})
        return _data(issue=self._shown(issue))

    def _found(self, variables: Values) -> list[Values]:
        order = variables.get("orderBy") or "createdAt"
        fits = self._filter(variables.get("filter") or {})
        found = [issue for issue in self.issues.values() if fits(issue)]
        if not variables.get("archived"):
            found = [issue for issue in found if issue["archivedAt"] is None]
        return sorted(found, key=lambda issue: (str(issue[order]), str(issue["id"])), reverse=True)

    def _filter(self, asked: Values) -> Callable[[Values], bool]:
        """Of a filter, what the queries use: a team, and a time of the issue or of one of its comments."""
        team = asked["team"]["id"]["eq"]
        since = datetime.fromisoformat(asked["or"][0]["updatedAt"]["gte"]) if "or" in asked else None

        def fits(issue: Values) -> bool:
            times = [issue["updatedAt"], *(comment["updatedAt"] for comment in self.comments[issue["id"]])]
            return issue["team"]["id"] == team and (since is None or any(_time(one) >= since for one in times))

        return fits

    def _shown(self, issue: Values) -> Values:
        comments = self._page(self.comments[issue["id"]], {"first": self.page_size})
        return issue | {"comments": comments}

    def _page(
        self, found: list[Values], variables: Values, shown: Callable[[Values], Values] = lambda one: one
    ) -> Values:
        after = variables.get("after")
        start = int(after.removeprefix("cursor-")) if after else 0
        end = start + min(variables["first"], self.page_size)
        page = {"hasNextPage": end < len(found), "endCursor": f"cursor-{end}"}
        return {"nodes": [shown(one) for one in found[start:end]], "pageInfo": page}

    def _tick(self) -> str:
        self.clock += timedelta(minutes=1)
        return _text(self.clock)

    def _id(self) -> str:
        self.made += 1
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://linear.test/{self.made}"))


def refusal(status: int, code: str, message: str, **headers: str) -> httpx.Response:
    """An error as Linear answers it."""
    error = {"message": message, "extensions": {"code": code, "userPresentableMessage": message}}
    return httpx.Response(status, json={"errors": [error], "data": None}, headers=headers)


def _data(**found: Any) -> httpx.Response:
    return httpx.Response(200, json={"data": found})


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
