"""Listings without an end, cursors that are refused, and answers of another kind, of all sources, by the command line:
a sync ends, nothing is lost by it, it is told, and once the source answers as it should all is as before."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from tests.e2e.conftest import Folder, Ran
from tests.e2e.test_parts import Source, company, live, told
from tests.emulators.drive import service as drive_service
from tests.emulators.drive.responses import error as drive_error

__all__ = ["company"]

Payload: TypeAlias = dict[str, Any]
Odd: TypeAlias = Callable[["Place", Payload, Response], Response]
MOST_REQUESTS = 300
"""Of one command. The companies are small."""


@dataclass
class Place:
    """What a source answers at paths (or methods, or in queries) that `pattern` finds, in place of its own answers."""

    pattern: re.Pattern[str]
    odd: Odd
    is_odd: bool = False
    asked: int = 0
    met: int = 0
    first: dict[str, Response] = field(default_factory=dict)

    def answer(self, path: str, form: Payload, own: Callable[[], Response]) -> Response:
        self.asked += 1
        if not self.is_odd or not self.pattern.search(path):
            return own()
        self.met += 1
        if self.asked > 4 * MOST_REQUESTS:
            return Response("It never ends.", 401)
        return self.odd(self, form | {"path": path}, own())


def put_into(source: Source, name: str, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    service = source.emulator
    if name == "github":
        own = service._answer

        def answer_github(asked: Any) -> Response:
            form = json.loads(asked.body) if asked.path == "graphql" else asked.query
            path = f"graphql {form['query']}" if asked.path == "graphql" else asked.path
            return place.answer(path, form.get("variables") or form, lambda: own(asked))

        monkeypatch.setattr(service, "_answer", answer_github)
    elif name == "slack":
        answered = service.answered
        monkeypatch.setattr(
            service,
            "answered",
            lambda path, token, form: place.answer(path, form, lambda: answered(path, token, form)),
        )
    elif name == "notion":
        replied = service.answered
        monkeypatch.setattr(
            service,
            "answered",
            lambda method, path, headers, asked: place.answer(
                path, asked, lambda: replied(method, path, headers, asked)
            ),
        )
    else:
        route = drive_service._route
        monkeypatch.setattr(
            drive_service,
            "_route",
            lambda drive, path, query, body: place.answer(
                "/".join(path), query, lambda: route(drive, path, query, body)
            ),
        )


def endless(place: Place, form: Payload, answer: Response) -> Response:
    """The first page again and again, each time under another cursor."""
    key = form["path"]
    cursors = ("cursor", "start_cursor", "pageToken", "after")
    if not any(form.get(name) for name in cursors) and form.get("page", "1") == "1":
        place.first[key] = answer
    if place.first[key].status_code != 200:
        return answer
    body, cursor = json.loads(bytes(place.first[key].body)), f"c{place.asked}"
    if "graphql" in key:
        page = next(iter(body["data"].values()))["discussions"]
        page["pageInfo"] = {"hasNextPage": True, "endCursor": cursor}
    elif "paging" in body:
        body["paging"]["pages"] = 10_000 if body["files"] else 1
    elif "ok" in body:
        body |= {"response_metadata": {"next_cursor": cursor}}
    elif "has_more" in body:
        body |= {"has_more": True, "next_cursor": cursor}
    else:
        body |= {"nextPageToken": cursor}
    return JSONResponse(body)


def refusing_cursors(error: Callable[[], Response], *names: str) -> Odd:
    """Each page says that more follow, and no cursor is taken."""

    def odd(place: Place, form: Payload, answer: Response) -> Response:
        if any(form.get(name) for name in names):
            return error()
        return endless(place, form, answer)

    return odd


def instead(make: Callable[[], Response]) -> Odd:
    return lambda place, form, answer: make()


def cut(place: Place, form: Payload, answer: Response) -> Response:
    return Response(bytes(answer.body)[: len(answer.body) // 2], media_type="application/json")


def a_page() -> Response:
    return HTMLResponse("<html><body>Sign in</body></html>")


def slack_says(error: str) -> Callable[[], Response]:
    return lambda: JSONResponse({"ok": False, "error": error})


def notion_says(status: int, code: str, answered: int | None = None) -> Callable[[], Response]:
    body = {"object": "error", "status": status, "code": code, "message": "No."}
    return lambda: JSONResponse(body, answered or status)


def drive_refuses() -> Response:
    return drive_error(400, "invalid", "Invalid Value: pageToken")


def blocked() -> Response:
    block = {"reason": "dmca", "created_at": "2026-01-01T00:00:00Z", "html_url": "https://github.test/blocks/1"}
    return JSONResponse({"message": "Repository access blocked", "block": block}, 451)


CASES: dict[str, tuple[str, str, Odd]] = {
    "people without end": ("slack", r"users\.list", endless),
    "channels without end": ("slack", r"conversations\.list", endless),
    "members without end": ("slack", r"conversations\.members", endless),
    "replies without end": ("slack", r"conversations\.replies", endless),
    "files without end": ("slack", r"files\.list", endless),
    "history that refuses cursors": (
        "slack",
        r"conversations\.history",
        refusing_cursors(slack_says("invalid_cursor"), "cursor"),
    ),
    "history of a restricted organisation": (
        "slack",
        r"conversations\.history",
        instead(slack_says("enterprise_is_restricted")),
    ),
    "people as a page": ("slack", r"users\.list", instead(a_page)),
    "replies that are cut": ("slack", r"conversations\.replies", cut),
    "search without end": ("notion", r"/search$", endless),
    "blocks without end": ("notion", r"/children$", endless),
    "comments without end": ("notion", r"/comments$", endless),
    "users without end": ("notion", r"/users$", endless),
    "blocks that refuse cursors": (
        "notion",
        r"/children$",
        refusing_cursors(notion_says(400, "validation_error"), "start_cursor"),
    ),
    "comments that are an error": ("notion", r"/comments$", instead(notion_says(403, "restricted_resource", 200))),
    "rows as a page": ("notion", r"/query$", instead(a_page)),
    "files listed without end": ("drive", r"^files$", endless),
    "permissions without end": ("drive", r"/permissions$", endless),
    "comments on files without end": ("drive", r"/comments$", endless),
    "drives without end": ("drive", r"^drives$", endless),
    "files that refuse cursors": ("drive", r"^files$", refusing_cursors(drive_refuses, "pageToken")),
    "permissions that are cut": ("drive", r"/permissions$", cut),
    "changes as a page": ("drive", r"^changes$", instead(a_page)),
    "discussions without end": ("github", r"^graphql.*discussions\(first: 100", endless),
    "a tree that is blocked": ("github", r"/git/trees/", instead(blocked)),
    "releases that are cut": ("github", r"/releases$", cut),
    "discussions as a page": ("github", r"^graphql.*discussions\(first: 100", instead(a_page)),
}
QUICK = ("people without end",)


@pytest.mark.parametrize(
    ("case", "name"),
    [
        pytest.param(case, source, marks=() if case in QUICK else pytest.mark.slow, id=case)
        for case, (source, _, _) in CASES.items()
    ],
)
def test_an_odd_answer_ends_loses_nothing_is_told_and_passes(
    case: str,
    name: str,
    company: Source,
    folder: Folder,
    headrace: Callable[..., Ran],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, pattern, odd = CASES[case]
    place = Place(re.compile(pattern, re.DOTALL), odd)
    put_into(company, name, place, monkeypatch)
    assert headrace("sync", "--json").code == 0
    headrace("sync", "--json")
    before = live(folder)
    place.is_odd = True
    for command in (["sync", "--full"], ["sync"], ["reconcile", "--allow-mass-delete"]):
        place.asked = 0
        ran = headrace(*command, "--json")
        assert place.asked <= MOST_REQUESTS, (command, place.asked)
        assert live(folder).keys() == before.keys(), (command, ran.errors[-2000:])
    status = headrace("status", "--json").json
    place.asked = 0
    findings = headrace("check", "--json").json["findings"]
    assert place.asked <= MOST_REQUESTS
    assert place.met
    assert told(status), findings
    assert headrace("explain", next(iter(before)), "--json").code == 0
    place.is_odd = False
    assert headrace("sync", "--full", "--json").code == 0
    assert told(headrace("status", "--json").json) == ""
    assert live(folder) == before
