"""What is kept of one reading for the next, so that what has not changed counts on no quota: and never longer than it
is true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import stamina

from connectors.contract import (
    CachedMemberships,
    Checkpoint,
    Cursor,
    EmptyGroup,
    Membership,
    MembershipItem,
    UnreadableGroup,
)
from connectors.github.payloads import kept
from connectors.github.payloads.graphql import DiscussionHead, DiscussionPage
from connectors.github.settings import GitHubConnection
from connectors.github.source import GitHubConnector, connect
from connectors.http import ATTEMPTS, PROMPT
from connectors.model import Document, Unit
from tests.connectors.github.conftest import OneRepository
from tests.emulators.github import GitHub, Repository

UNIT = Unit("77", "acme/api")
COLLABORATORS = "repos/acme/api/collaborators"


class Cache(dict[str, dict[str, Any]]):
    """As the catalog keeps it."""

    def put(self, group: str, kept: dict[str, Any]) -> None:
        self[group] = kept

    def all(self) -> dict[str, dict[str, Any] | None]:
        return dict(self)


@pytest.fixture
def api(github: OneRepository) -> Repository:
    github.described.update(private=True, visibility="private", has_discussions=True)
    github.api.collaborators = ["ada", "bob", "cy", "dee"]  # on two pages
    github.emails = {login: f"{login}@acme.test" for login in ("ada", "bob", "cy", "dee", "eve", "flo", "gus")}
    return github.api


@pytest.fixture
def open_next(github: OneRepository, connection: GitHubConnection) -> Callable[[], GitHubConnector]:
    """As each sync does it: what the one before knew is in the cursor and in the cache alone."""
    return lambda: connect(connection, github.transport())


@pytest.fixture
def days_later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time pass for what is kept."""

    def turn(days: float) -> None:
        class Clock(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
                return datetime.now(UTC) + timedelta(days=days)

        monkeypatch.setattr("connectors.github.collaborators.datetime", Clock)
        monkeypatch.setattr("connectors.github.client.datetime", Clock)

    return turn


# ---- collaborators


def members(connector: GitHubConnector, cache: Cache) -> list[str]:
    assert isinstance(connector, CachedMemberships)
    found = list(connector.cached_memberships(cache))
    assert all(isinstance(one, Membership | EmptyGroup) for one in found), found
    return [one.email.partition("@")[0] for one in found if isinstance(one, Membership)]


def counted(github: GitHub) -> Counter[str]:
    """What counted since the last call."""
    found = Counter(github.counted)
    github.forget()
    return found


@pytest.mark.usefixtures("api")
def test_collaborators_who_are_the_same_count_on_no_quota(
    github: OneRepository, open_next: Callable[[], GitHubConnector]
) -> None:
    cache = Cache()
    first = members(open_next(), cache)
    assert counted(github)[COLLABORATORS] == 2
    for _ in range(2):
        assert members(open_next(), cache) == first == ["ada", "bob", "cy", "dee"]
        asked = github.asked()[COLLABORATORS]
        assert (asked, counted(github)[COLLABORATORS]) == (2, 0)


@pytest.mark.parametrize(
    "now",
    [
        ["bob", "cy", "dee"],
        ["ada", "bob", "cy"],
        ["ada", "bob", "cy", "eve"],
        ["eve", "ada", "bob", "cy", "dee"],
        ["ada", "bob", "cy", "dee", "eve", "flo"],
        [],
    ],
    ids=["gone-from-page-1", "gone-from-page-2", "another-on-page-2", "first-of-all", "last-of-all", "nobody"],
)
def test_whoever_comes_or_goes_counts_at_the_next_reading(
    github: OneRepository, api: Repository, open_next: Callable[[], GitHubConnector], now: list[str]
) -> None:
    cache = Cache()
    members(open_next(), cache)
    counted(github)
    api.collaborators = now
    assert members(open_next(), cache) == now
    assert members(open_next(), cache) == now
    assert members(open_next(), Cache()) == now


def test_after_a_page_that_has_changed_all_are_told_anew(
    github: OneRepository, api: Repository, open_next: Callable[[], GitHubConnector]
) -> None:
    cache = Cache()
    members(open_next(), cache)
    counted(github)
    api.collaborators[0] = "eve"
    assert members(open_next(), cache) == ["eve", "bob", "cy", "dee"]
    assert counted(github)[COLLABORATORS] == 2


def test_a_page_after_what_was_the_last_and_full_one_is_seen(
    github: OneRepository, api: Repository, open_next: Callable[[], GitHubConnector]
) -> None:
    """The page itself stays as it is, and so would its ETag."""
    api.collaborators = ["ada", "bob", "cy", "dee", "eve", "flo"]
    cache = Cache()
    assert members(open_next(), cache) == api.collaborators
    api.collaborators.append("gus")
    assert members(open_next(), cache) == api.collaborators


def test_a_page_after_a_hundred_collaborators_is_seen(
    github: OneRepository, api: Repository, open_next: Callable[[], GitHubConnector]
) -> None:
    github.page_size, github.emails = 100, {f"p{one}": f"p{one}@acme.test" for one in range(101)}
    api.collaborators, cache = list(github.emails)[:100], Cache()
    assert len(members(open_next(), cache)) == 100
    api.collaborators.append("p100")
    assert len(members(open_next(), cache)) == 101


def test_an_address_that_is_withdrawn_counts_at_once(
    github: OneRepository, api: Repository, open_next: Callable[[], GitHubConnector]
) -> None:
    cache = Cache()
    members(open_next(), cache)
    del github.emails["bob"]
    assert members(open_next(), cache) == ["ada", "cy", "dee"]


def test_of_a_renamed_repository_the_collaborators_are_read_anew(
    github: OneRepository, api: Repository, open_next: Callable[[], GitHubConnector]
) -> None:
    cache = Cache()
    members(open_next(), cache)
    github.rename(api, "acme/archive")
    github.described["full_name"] = "acme/archive"
    api.collaborators = ["bob"]
    counted(github)
    assert members(open_next(), cache) == ["bob"]
    assert counted(github)["repos/acme/archive/collaborators"] == 1
    assert list(cache) == ["77"]


def not_modified(request: httpx.Request) -> httpx.Response:
    return httpx.Response(304)


@pytest.mark.usefixtures("api")
def test_a_server_that_says_for_ever_that_nothing_has_changed_is_believed_for_a_day(
    github: OneRepository,
    api: Repository,
    open_next: Callable[[], GitHubConnector],
    days_later: Callable[[float], None],
) -> None:
    cache = Cache()
    members(open_next(), cache)
    api.collaborators = ["cy"]
    own, asked = github.api, list[str]()

    def unless_asked_plainly(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("if-none-match", ""))
        return (
            httpx.Response(304)
            if asked[-1]
            else httpx.Response(200, json=[{"login": one} for one in own.collaborators])
        )

    github.answers[COLLABORATORS] = unless_asked_plainly
    days_later(0.9)
    assert members(open_next(), cache) == ["ada", "bob", "cy", "dee"]
    days_later(1.1)
    assert members(open_next(), cache) == ["cy"]
    assert asked[-1] == ""


@pytest.mark.usefixtures("api")
def test_a_part_that_changes_does_not_let_the_rest_be_believed_for_longer(
    github: OneRepository,
    api: Repository,
    open_next: Callable[[], GitHubConnector],
    days_later: Callable[[float], None],
) -> None:
    cache = Cache()
    members(open_next(), cache)
    days_later(0.9)
    api.collaborators = ["ada", "bob", "cy", "eve"]
    members(open_next(), cache)
    counted(github)
    days_later(1.1)
    members(open_next(), cache)
    assert counted(github)[COLLABORATORS] == 2
    days_later(1.9)
    members(open_next(), cache)
    assert counted(github)[COLLABORATORS] == 0
    days_later(-1)  # the clock was set back
    members(open_next(), cache)
    assert counted(github)[COLLABORATORS] == 2


@pytest.mark.usefixtures("api")
def test_an_answer_of_no_change_to_a_question_without_a_condition_lets_nobody_in(
    github: OneRepository, open_next: Callable[[], GitHubConnector]
) -> None:
    github.answers[COLLABORATORS] = not_modified
    cache = Cache()
    (found,) = open_next().cached_memberships(cache)
    assert isinstance(found, UnreadableGroup)
    assert "pages" not in cache["77"]


@pytest.mark.parametrize("broken", [{}, {"pages": 1}, {"path": COLLABORATORS, "told_at": "x", "pages": []}])
@pytest.mark.usefixtures("api")
def test_what_was_kept_by_another_release_is_not_used(
    open_next: Callable[[], GitHubConnector], broken: dict[str, Any]
) -> None:
    cache = Cache({"77": broken})
    assert members(open_next(), cache) == ["ada", "bob", "cy", "dee"]


@pytest.mark.usefixtures("api")
def test_a_reading_that_ends_half_way_leaves_what_was_kept(
    github: OneRepository, open_next: Callable[[], GitHubConnector]
) -> None:
    cache = Cache()
    members(open_next(), cache)
    before = dict(cache)
    github.api.collaborators.insert(0, "eve")

    def refuse_the_second(request: httpx.Request) -> httpx.Response:
        del github.answers[COLLABORATORS]
        answer = github.serve(request)
        github.answers[COLLABORATORS] = lambda _: httpx.Response(403, json={"message": "no"})
        return answer

    github.answers[COLLABORATORS] = refuse_the_second
    (found,) = open_next().cached_memberships(cache)
    assert isinstance(found, UnreadableGroup)
    assert cache == before


@pytest.mark.usefixtures("api")
def test_collaborators_who_could_not_be_told_are_asked_for_with_less_patience_the_next_time(
    github: OneRepository, open_next: Callable[[], GitHubConnector]
) -> None:
    cache = Cache()
    members(open_next(), cache)
    github.answers[COLLABORATORS] = lambda _: httpx.Response(500)
    attempts: list[int] = []
    with stamina.set_testing(True, attempts=ATTEMPTS):
        for _ in range(3):
            before = github.paths()[COLLABORATORS]
            (found,) = open_next().cached_memberships(cache)
            assert isinstance(found, UnreadableGroup)
            attempts.append(github.paths()[COLLABORATORS] - before)
    assert attempts == [ATTEMPTS, PROMPT.attempts, PROMPT.attempts]
    del github.answers[COLLABORATORS]
    counted(github)
    assert members(open_next(), cache) == ["ada", "bob", "cy", "dee"]
    assert counted(github)[COLLABORATORS] == 0


def test_a_repository_that_becomes_public_has_no_group(
    github: OneRepository, api: Repository, open_next: Callable[[], GitHubConnector]
) -> None:
    cache = Cache()
    members(open_next(), cache)
    github.described.update(private=False, visibility="public")
    found: list[MembershipItem] = list(open_next().cached_memberships(cache))
    assert found == []


# ---- the repository itself


def read(connector: GitHubConnector, cursor: Cursor | None = None, unit: Unit = UNIT) -> tuple[list[Any], Cursor]:
    *items, last = connector.read(unit, cursor)
    assert isinstance(last, Checkpoint)
    return items, last.cursor


def documents(items: list[Any]) -> list[Document]:
    return [item for item in items if isinstance(item, Document)]


@pytest.fixture
def talkative(github: OneRepository, api: Repository) -> Repository:
    """With something of each part."""
    github.issue(api, "Wheel", "It is stuck.")
    github.issue(api, "Turn it", "By water.", pull=True)
    github.discussion(api, "Oil", "Which one?")
    github.release(api, "v1", "Notes")
    github.write(api, "README.md", "# Mill")
    return api


@pytest.mark.usefixtures("talkative")
def test_an_idle_read_counts_on_no_quota_but_for_discussions(
    github: OneRepository, open_next: Callable[[], GitHubConnector]
) -> None:
    _, cursor = read(open_next())
    _, cursor = read(open_next(), cursor)  # the first one that asks for what is new
    counted(github)
    for _ in range(2):
        items, cursor = read(open_next(), cursor)
        assert documents(items) == []
        assert github.asked()["repos/acme/api/git/trees/main"] == 1
        assert counted(github) == {"graphql": 1}


@pytest.mark.usefixtures("talkative")
def test_a_read_without_a_cursor_asks_for_everything(
    github: OneRepository, open_next: Callable[[], GitHubConnector]
) -> None:
    read(open_next())
    counted(github)
    read(open_next())
    assert counted(github)["repos/acme/api"] == 1


def test_a_repository_that_is_closed_shows_in_the_next_read(
    github: OneRepository, talkative: Repository, open_next: Callable[[], GitHubConnector]
) -> None:
    github.described.update(private=False, visibility="public")
    first, cursor = read(open_next())
    assert {one.readers for one in documents(first)} == {("public",)}
    github.described.update(private=True, visibility="private")
    github.issue(talkative, "Axle", "Broken.")
    items, cursor = read(open_next(), cursor)
    github.issue(talkative, "Bolt", "Lost.")
    again, cursor = read(open_next(), cursor)
    for found in (items, again):
        assert {one.readers for one in documents(found)} == {("group:acme-github:77",)}


def test_a_repository_that_was_renamed_is_told_by_its_new_name(
    github: OneRepository, talkative: Repository, open_next: Callable[[], GitHubConnector]
) -> None:
    _, cursor = read(open_next())
    github.described["full_name"] = "acme/archive"
    github.rename(talkative, "acme/archive")
    github.issue(talkative, "Axle", "Broken.")
    items, cursor = read(open_next(), cursor)
    assert {one.url.split("/")[4] for one in documents(items)} == {"archive"}
    counted(github)
    read(open_next(), cursor)
    assert "repositories/77" not in counted(github)
    read(open_next(), cursor, Unit("77", "acme/archive"))
    assert counted(github)["repos/acme/archive"] == 1


def test_a_name_that_another_repository_has_taken_is_not_this_one(
    github: OneRepository, talkative: Repository, open_next: Callable[[], GitHubConnector]
) -> None:
    _, cursor = read(open_next())
    github.described["full_name"] = "acme/archive"
    github.rename(talkative, "acme/archive")
    other = github.repository("acme/api")
    github.issue(other, "Not ours", "At all.")
    github.issue(talkative, "Axle", "Broken.")
    items, _ = read(open_next(), cursor)
    titles = {one.title for one in documents(items)}
    assert "Axle" in titles
    assert "Not ours" not in titles


@pytest.mark.usefixtures("talkative")
def test_a_server_that_says_for_ever_that_a_repository_is_as_it_was_is_believed_for_a_day(
    github: OneRepository, open_next: Callable[[], GitHubConnector], days_later: Callable[[float], None]
) -> None:
    github.described.update(private=False, visibility="public")
    _, cursor = read(open_next())
    github.described.update(private=True, visibility="private", description="Closed")

    def as_it_was(request: httpx.Request) -> httpx.Response:
        if "if-none-match" in request.headers:
            return httpx.Response(304)
        return httpx.Response(200, json=github.api.described())

    github.answers["repos/acme/api"] = as_it_was
    days_later(0.9)
    items, cursor = read(open_next(), cursor)
    assert documents(items) == []
    days_later(1.1)
    items, _ = read(open_next(), cursor)
    assert [(one.readers, one.title) for one in documents(items)] == [(("group:acme-github:77",), "acme/api")]


@pytest.mark.parametrize("broken", [None, {}, {"path": "repos/acme/api"}, "x"])
@pytest.mark.usefixtures("talkative")
def test_a_cursor_that_keeps_no_such_thing_can_be_resumed(
    github: OneRepository, open_next: Callable[[], GitHubConnector], broken: Any
) -> None:
    _, cursor = read(open_next())
    items, again = read(open_next(), {**cursor, "repository": broken})
    assert documents(items) == []
    assert again["repository"] == cursor["repository"] | {"told_at": again["repository"]["told_at"]}


def test_time_is_kept_for_a_day() -> None:
    assert timedelta(days=1) == kept.MAX_AGE


def test_a_repository_without_a_commit_is_asked_for_files_after_a_push(
    github: OneRepository, open_next: Callable[[], GitHubConnector]
) -> None:
    """The answer for its tree is an error, and has no ETag."""
    just_now = f"{datetime.now(UTC) + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    made = github.repository("acme/new", pushed_at=just_now)
    unit, tree = Unit(str(made.id), "acme/new"), "repos/acme/new/git/trees/main"
    _, cursor = read(open_next(), unit=unit)
    _, cursor = read(open_next(), cursor, unit)
    assert counted(github)[tree] == 2  # another push may come within the same second
    made.pushed_at = github.tick()
    _, cursor = read(open_next(), cursor, unit)
    assert counted(github)[tree] == 1
    _, cursor = read(open_next(), cursor, unit)
    assert counted(github)[tree] == 0
    github.write(made, "README.md", "# Mill")
    items, cursor = read(open_next(), cursor, unit)
    assert [one.title for one in documents(items)] == ["README.md"]


def test_an_etag_that_cannot_be_sent_back_is_none(github: OneRepository, connection: GitHubConnection) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        found = github.serve(request)
        assert request.headers.get("if-none-match", "").isascii()
        return httpx.Response(found.status_code, headers=[(b"ETag", b'"caf\xe9"')], content=found.content)

    _, cursor = read(connect(connection, httpx.MockTransport(answer)))
    items, _ = read(connect(connection, httpx.MockTransport(answer)), cursor)
    assert documents(items) == []


# ---- discussions


def in_pass(connector: GitHubConnector, cursors: dict[str, Cursor]) -> dict[str, list[str]]:
    """Titles of what a sync of all units reads, by their names; `cursors` is brought up to date."""
    found: dict[str, list[str]] = {}
    for unit in sorted(connector.units(), key=lambda unit: unit.name):
        items, cursors[unit.id] = read(connector, cursors.get(unit.id), unit)
        if titles := [one.title for one in documents(items)]:
            found[unit.name] = titles
    return found


@pytest.fixture
def mills(github: OneRepository, talkative: Repository) -> list[Repository]:
    github.page_size = 100
    mills = [github.repository(f"acme/mill-{one}", more={"has_discussions": True}) for one in range(60)]
    for one in mills:
        github.discussion(one, f"Oil for {one.full_name}", "Which one?")
    return mills


@pytest.mark.slow
def test_discussions_of_many_repositories_are_one_question(
    github: OneRepository, mills: list[Repository], open_next: Callable[[], GitHubConnector]
) -> None:
    cursors: dict[str, Cursor] = {}
    assert len(in_pass(open_next(), cursors)) == 61
    in_pass(open_next(), cursors)
    counted(github)
    assert in_pass(open_next(), cursors) == {}
    assert counted(github) == {"graphql": 2, "user/repos": 1}
    number = github.discussion(mills[3], "Grease", "Which one?")
    github.discuss(mills[55], 1, "Of olives")
    assert in_pass(open_next(), cursors) == {
        "acme/mill-3": ["Grease"],
        "acme/mill-55": ["Oil for acme/mill-55"],
    }
    github.delete_discussion(mills[3], number)
    github.edit_discussion(mills[3], 1, body="None")
    assert in_pass(open_next(), cursors) == {"acme/mill-3": ["Oil for acme/mill-3"]}
    counted(github)
    assert in_pass(open_next(), cursors) == {}
    assert counted(github) == {"graphql": 2, "user/repos": 1}


@pytest.mark.slow
@pytest.mark.usefixtures("mills")
def test_what_was_told_of_discussions_counts_once(
    github: OneRepository, mills: list[Repository], open_next: Callable[[], GitHubConnector]
) -> None:
    """A process that lives on lists the units once, and reads one of them again when it is told to."""
    cursors: dict[str, Cursor] = {}
    connector, (first, *_) = open_next(), mills
    in_pass(connector, cursors)
    unit = next(one for one in connector.units() if one.name == first.full_name)
    read(connector, cursors[unit.id], unit)
    github.discuss(first, 1, "Of olives")
    items, _ = read(connector, cursors[unit.id], unit)
    assert [one.title for one in documents(items)] == [f"Oil for {first.full_name}"]


@pytest.mark.slow
@pytest.mark.usefixtures("mills")
def test_what_was_told_of_discussions_counts_for_a_minute(
    github: OneRepository,
    mills: list[Repository],
    open_next: Callable[[], GitHubConnector],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cursors: dict[str, Cursor] = {}
    in_pass(open_next(), cursors)
    connector = open_next()
    first, second = (one for one in connector.units() if one.name in ("acme/mill-1", "acme/mill-2"))
    read(connector, cursors[first.id], first)
    github.discuss(mills[2], 1, "Of olives")
    monkeypatch.setattr("connectors.github.repository_heads.HEAD_SECONDS", 0.0)
    items, _ = read(connector, cursors[second.id], second)
    assert [one.title for one in documents(items)] == ["Oil for acme/mill-2"]


def answered(**told: Any) -> dict[str, Any]:
    return {"data": told}


HEAD = {"totalCount": 1, "nodes": [{"number": 3, "updatedAt": "2026-01-01T03:00:00Z"}]}


@pytest.mark.parametrize(
    "told",
    [
        {"data": None},
        {"errors": [{"message": "Something went wrong"}]},
        {"data": {"r77": None}, "errors": [{"type": "FORBIDDEN", "message": "Resource not accessible"}]},
        {"data": {"r77": None}, "errors": [{"type": "NOT_FOUND", "message": "Could not resolve"}]},
        answered(),
        answered(r77={"databaseId": 78, "discussions": HEAD}),
        answered(r77={"databaseId": 77, "discussions": {**HEAD, "nodes": [None]}}),
        answered(r77={"databaseId": 77, "discussions": {**HEAD, "nodes": []}}),
        answered(r77={"databaseId": 77, "discussions": {**HEAD, "totalCount": None}}),
        answered(r77={"databaseId": 77, "discussions": {**HEAD, "totalCount": 0}}),
        answered(r77={"databaseId": 77, "discussions": {**HEAD, "totalCount": 2}}),
        answered(r77={"databaseId": 77, "discussions": {**HEAD, "nodes": [{"number": 3, "updatedAt": "soon"}]}}),
        answered(r77="x"),
    ],
)
def test_where_it_is_not_told_whether_discussions_have_changed_they_are_asked_for(
    github: OneRepository, talkative: Repository, open_next: Callable[[], GitHubConnector], told: dict[str, Any]
) -> None:
    cursors: dict[str, Cursor] = {}
    in_pass(open_next(), cursors)
    (head,) = (cursor["discussions_head"] for cursor in cursors.values())
    assert head == {"total": 1, "number": 3, "updated_at": "2026-01-01T03:00:00Z"}
    github.discuss(talkative, 3, "Of olives")
    github.answers["/api/graphql"] = lambda request: (
        httpx.Response(200, json=told) if b"r77" in request.content else _served(github, request)
    )
    assert in_pass(open_next(), cursors) == {"acme/api": ["Oil"]}


@pytest.mark.parametrize(
    ("told", "head"),
    [
        (HEAD, DiscussionHead(total=1, number=3, updated_at="2026-01-01T03:00:00Z")),
        ({"totalCount": 0, "nodes": []}, DiscussionHead(total=0)),
        ({"nodes": []}, None),
        ({**HEAD, "totalCount": 0}, None),
        ({**HEAD, "nodes": []}, None),
        ({**HEAD, "nodes": [{"number": 3}]}, None),
        ({**HEAD, "nodes": [{"number": 3, "updatedAt": "soon"}]}, None),
    ],
)
def test_what_a_page_of_discussions_begins_with(told: dict[str, Any], head: DiscussionHead | None) -> None:
    assert DiscussionPage.model_validate(told).head == head


def _served(github: OneRepository, request: httpx.Request) -> httpx.Response:
    answer = github.answers.pop("/api/graphql")
    try:
        return github.serve(request)
    finally:
        github.answers["/api/graphql"] = answer
