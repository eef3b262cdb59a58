from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.contract import Checkpoint, Deleted, Failed, Item, PartState, Skipped, Window
from connectors.errors import AuthenticationFailed, RateLimited, Unavailable
from connectors.github.file_rules import MAX_FILE_BYTES
from connectors.github.part_table import PARTS, WIKI
from connectors.github.settings import GitHubConnection
from connectors.github.source import GitHubConnector, connect
from connectors.model import MARKDOWN, PLAIN_TEXT, Document, Unit
from connectors.source_parts import Part
from tests.connectors.github.conftest import OneRepository, stopped
from tests.emulators.github_refusals import Refusal

UNIT = Unit("77", "acme/api")
ROOT = "github:acme-github/77"

Answer = Callable[[httpx.Request], httpx.Response]


def documents(items: Iterable[Item]) -> dict[str, Document]:
    """By the rest of their id. Fails if one comes twice with different content."""
    found: dict[str, Document] = {}
    for item in items:
        if isinstance(item, Document):
            assert found.setdefault(item.id.removeprefix(f"{ROOT}/"), item) == item
    return found


def last_cursor(items: list[Item]) -> dict[str, Any]:
    assert isinstance(items[-1], Checkpoint)
    cursor: dict[str, Any] = json.loads(json.dumps(items[-1].cursor))
    return cursor


def with_body(body: Any) -> Answer:
    return lambda request: httpx.Response(200, json=body)


def fill(github: OneRepository, issues: int = 8) -> None:
    for number in range(1, issues + 1):
        github.add_issue(number, pull=number % 3 == 0)
    github.api.files = {
        "README.md": b"# Api\n",
        "LICENSE": b"Apache",
        "docs/guide/setup.rst": b"Setup\n=====\n",
        "src/main.o": b"print()",
    }


def test_everything_is_read_once(github: OneRepository, connector: GitHubConnector) -> None:
    fill(github)
    items = list(connector.read(UNIT))
    assert set(documents(items)) == {
        *(f"{'pull' if number % 3 == 0 else 'issues'}/{number}" for number in range(1, 9)),
        "blob/README.md",
        "blob/LICENSE",
        "blob/docs/guide/setup.rst",
    }
    assert [item.document_id for item in items if isinstance(item, Skipped)] == [f"{ROOT}/blob/src/main.o"]
    assert isinstance(items[-1], Checkpoint)
    assert items[-1].complete
    assert len(items) == len({getattr(item, "id", None) or getattr(item, "document_id", id(item)) for item in items})


def test_documents_carry_what_is_known(github: OneRepository, connector: GitHubConnector) -> None:
    fill(github)
    found = documents(connector.read(UNIT))
    issue = found["issues/1"]
    assert (issue.kind, issue.title, issue.author, issue.tags) == ("issue", "Title 1", "ada", ("open", "bug"))
    assert issue.url == "https://github.test/acme/api/issues/1"
    assert issue.readers == ("public",)
    assert issue.created_at == issue.updated_at == datetime(2026, 1, 1, 1, tzinfo=UTC)
    assert [(parent.id, parent.title) for parent in issue.parents] == [(ROOT, "acme/api")]
    assert issue.content_type == MARKDOWN
    assert found["pull/3"].kind == "pull_request"
    file = found["blob/docs/guide/setup.rst"]
    assert (file.kind, file.title, file.content_type) == ("file", "docs/guide/setup.rst", PLAIN_TEXT)
    assert file.url == "https://github.test/acme/api/blob/main/docs/guide/setup.rst"
    assert (file.author, file.updated_at) == ("eve", datetime(2025, 5, 5, 5, 5, 5, tzinfo=UTC))
    assert [(parent.id, parent.title) for parent in file.parents] == [
        (ROOT, "acme/api"),
        (f"{ROOT}/tree/docs", "docs"),
        (f"{ROOT}/tree/docs/guide", "guide"),
    ]


@pytest.mark.parametrize("etags", [True, False])
@pytest.mark.parametrize("honours_since", [True, False])
@pytest.mark.parametrize("issues", [2, 3])
def test_nothing_changed_costs_a_constant_number_of_requests(
    github: OneRepository, connector: GitHubConnector, issues: int, honours_since: bool, etags: bool
) -> None:
    github.honours_since, github.etags = honours_since, etags
    fill(github, issues)
    cursor = last_cursor(list(connector.read(UNIT)))
    github.asked_for.clear()
    items = list(connector.read(UNIT, cursor))
    assert [item for item in items if not isinstance(item, Checkpoint | PartState)] == []
    assert github.paths() == {
        "repos/acme/api": 1,
        "repos/acme/api/issues": 1,
        "repos/acme/api/issues/comments": 1,
        "repos/acme/api/pulls/comments": 1,
        "graphql": 1,
        "repos/acme/api/releases": 1,
        "repos/acme/api/git/trees/main": 1,
    }
    assert {**last_cursor(items), "etags": {}} == {**cursor, "etags": {}}  # what is asked for since then has others
    assert not any(item.complete for item in items if isinstance(item, Checkpoint))


@pytest.mark.parametrize("honours_since", [True, False])
def test_only_what_changed_is_read_again(
    github: OneRepository, connector: GitHubConnector, honours_since: bool
) -> None:
    github.honours_since = honours_since
    fill(github)
    cursor = last_cursor(list(connector.read(UNIT)))
    github.touch(2, title="Renamed")
    github.comment(github.api, 5, "New words")
    github.add_issue(9)
    github.api.files["README.md"] = b"# Api, changed\n"
    del github.api.files["LICENSE"]
    github.asked_for.clear()
    items = list(connector.read(UNIT, cursor))
    found = documents(items)
    assert set(found) == {"issues/2", "issues/5", "issues/9", "blob/README.md"}
    assert "New words" in found["issues/5"].content
    assert found["issues/2"].title == "Renamed"
    assert [item for item in items if isinstance(item, Deleted)] == [Deleted(f"{ROOT}/blob/LICENSE")]
    asked_for_comments = {path for path in github.paths() if re.search(r"\d+/comments$", path)}
    assert asked_for_comments == {"repos/acme/api/issues/5/comments"}


def test_late_listings_inside_the_overlap_are_read(github: OneRepository, connector: GitHubConnector) -> None:
    fill(github, 2)
    cursor = last_cursor(list(connector.read(UNIT)))
    github.clock -= timedelta(minutes=62)  # an hour later it is 2 minutes before the last update
    github.add_issue(7)
    assert set(documents(connector.read(UNIT, cursor))) == {"issues/7"}


def test_a_change_in_the_second_of_the_read_is_not_missed(github: OneRepository, connector: GitHubConnector) -> None:
    now = f"{datetime.now(UTC) + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"
    github.add_issue(1, updated_at=now)
    cursor = last_cursor(list(connector.read(UNIT)))
    github.issues[1]["title"] = "Changed in the same second"
    assert documents(connector.read(UNIT, cursor))["issues/1"].title == "Changed in the same second"


@pytest.mark.parametrize("honours_since", [True, False])
@pytest.mark.parametrize("page_size", [1, 2, 3, 100])
def test_a_killed_read_continues_from_any_checkpoint(
    github: OneRepository,
    connector: GitHubConnector,
    page_size: int,
    honours_since: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("connectors.github.resources.files.FILES_PER_CHECKPOINT", 1)
    github.page_size, github.honours_since, github.etags = page_size, honours_since, False
    fill(github, 7)
    whole = list(connector.read(UNIT))
    everything = documents(whole)
    assert len(everything) == 7 + 3
    places = [place for place, item in enumerate(whole) if isinstance(item, Checkpoint)]
    assert len(places) > 4
    for place in places:
        rest = list(connector.read(UNIT, json.loads(json.dumps(whole[place].cursor))))  # type: ignore[union-attr]
        assert documents(whole[:place]) | documents(rest) == everything
        assert not set(documents(whole[:place])) & set(documents(rest))
        assert not any(item.complete for item in rest if isinstance(item, Checkpoint))
        assert last_cursor(rest) == last_cursor(whole)


@pytest.mark.parametrize("same_second", [False, True])
def test_an_update_while_pages_are_read_hides_nothing(
    github: OneRepository, connector: GitHubConnector, same_second: bool
) -> None:
    """Object 1 moves to the end after the first page: with page numbers, the others move up by one."""
    fill(github, 8)
    if same_second:
        for issue in github.issues.values():
            issue["updated_at"] = "2026-01-05T00:00:00Z" if issue["number"] > 5 else issue["updated_at"]

    def change_once(request: httpx.Request) -> None:
        if request.url.path.endswith("/issues/3/comments") or "/pulls/3/" in request.url.path:
            github.touch(1, title="Moved", updated_at="")
            github.issues[1]["updated_at"] = "2026-02-01T00:00:00Z"
            github.before = lambda request: None

    github.before = change_once
    numbers = {name.split("/")[1] for name in documents_allowing_repeats(connector.read(UNIT))}
    assert numbers >= {str(number) for number in range(1, 9)}


def documents_allowing_repeats(items: Iterable[Item]) -> set[str]:
    return {item.id.removeprefix(f"{ROOT}/") for item in items if isinstance(item, Document)}


def test_a_listing_in_another_order_has_no_checkpoint_before_its_end(
    github: OneRepository, connector: GitHubConnector
) -> None:
    fill(github, 6)
    newest_first = sorted(github.issues.values(), key=lambda issue: issue["updated_at"], reverse=True)

    def listing(request: httpx.Request) -> httpx.Response:
        return github.page(newest_first, request)

    github.answers["repos/acme/api/issues"] = github.answers["repositories/77/issues"] = listing
    items = list(connector.read(UNIT))
    assert len(documents(items)) == 6 + 3
    assert not any(isinstance(item, Checkpoint) for item in items[:6])
    again = list(connector.read(UNIT, last_cursor(items)))
    assert not documents(again)


def test_readers_that_change_cost_no_content(github: OneRepository, connector: GitHubConnector) -> None:
    """Who may read a repository is known from its unit; only what has changed itself is read again."""
    fill(github)
    cursor = last_cursor(list(connector.read(UNIT)))
    github.described.update(private=True, visibility="private")
    github.touch(2, title="Changed")
    again = documents(connector.read(UNIT, cursor))
    assert {name: one.readers for name, one in again.items()} == {"issues/2": ("group:acme-github:77",)}


def test_another_branch_is_read_whole(github: OneRepository, connector: GitHubConnector) -> None:
    fill(github)
    items = list(connector.read(UNIT))
    github.described["default_branch"] = "next"
    del github.api.files["LICENSE"]
    again = list(connector.read(UNIT, last_cursor(items)))
    assert set(documents(again)) == set(documents(items)) - {"blob/LICENSE"}
    assert Deleted(f"{ROOT}/blob/LICENSE") in again
    assert not documents(connector.read(UNIT, last_cursor(again)))


def test_a_window_takes_in_what_was_updated_inside(github: OneRepository, connector: GitHubConnector) -> None:
    fill(github, 8)
    window = Window(datetime(2026, 1, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, 4, tzinfo=UTC))
    items = list(connector.read(UNIT, {"any": "cursor"}, window))
    assert set(documents(items)) == {"issues/2", "pull/3"}
    assert stopped(items) == {}
    assert [item for item in items if not isinstance(item, Document | PartState)] == [Checkpoint({"any": "cursor"})]
    files = connector.read(UNIT, None, Window(until=datetime(2025, 6, 1, tzinfo=UTC)))
    assert set(documents(files)) == {"blob/README.md", "blob/LICENSE", "blob/docs/guide/setup.rst"}


def test_files_put_back_while_a_read_was_killed_are_read(
    github: OneRepository, connector: GitHubConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.github.resources.files.FILES_PER_CHECKPOINT", 1)
    github.api.files = {"a.md": b"old a", "b.md": b"old b"}
    cursor = last_cursor(list(connector.read(UNIT)))
    github.api.files = {"a.md": b"new a", "b.md": b"new b"}
    killed: list[Item] = []
    for item in connector.read(UNIT, cursor):
        killed.append(item)
        if isinstance(item, Checkpoint) and documents(killed):
            break
    assert set(documents(killed)) == {"blob/a.md"}
    github.api.files = {"a.md": b"old a", "b.md": b"old b"}
    found = documents(connector.read(UNIT, last_cursor(killed)))
    assert {name: document.content for name, document in found.items()} == {"blob/a.md": "old a"}


@pytest.mark.parametrize("cursor", [{"version": 0}, {"readers": ["public"], "branch": "main"}])
def test_a_cursor_of_another_version_reads_everything(
    github: OneRepository, connector: GitHubConnector, cursor: dict[str, Any]
) -> None:
    fill(github)
    assert len(documents(connector.read(UNIT, cursor))) == 8 + 3


@pytest.mark.parametrize("status", [404, 409, 422])
def test_files_without_history_have_no_time(github: OneRepository, connector: GitHubConnector, status: int) -> None:
    fill(github, 0)
    github.answers["repos/acme/api/commits"] = lambda request: httpx.Response(status, json={"message": "no"})
    found = documents(connector.read(UNIT))
    assert {(document.author, document.updated_at) for document in found.values()} == {("", None)}
    assert len(found) == 3


@pytest.mark.parametrize(
    ("status", "body"),
    [(status, {"message": "no"}) for status in (403, 404, 502)]
    + [(409, {"message": "Git Repository is empty."}), (200, [])],
)
def test_files_get_their_time_once_commits_answer(
    github: OneRepository, connector: GitHubConnector, status: int, body: object
) -> None:
    fill(github, 0)
    github.api.files |= {f"docs/{number}.md": b"# Wheel" for number in range(12)}
    github.graphql = False
    github.answers["repos/acme/api/commits"] = lambda request: httpx.Response(status, json=body)
    items = list(connector.read(UNIT))
    found = documents(items)
    assert not [item for item in items if isinstance(item, Failed)]
    assert (len(found), {(one.author, one.updated_at) for one in found.values()}) == (15, {("", None)})
    cursor = last_cursor(items)
    for _ in range(2):
        before = len(github.asked_for)
        items = list(connector.read(UNIT, cursor))
        cursor = last_cursor(items)
        assert documents(items) == {}, "nothing is read again before it can be read better"
    idle = len(github.asked_for) - before
    del github.answers["repos/acme/api/commits"]
    items = list(connector.read(UNIT, cursor))
    found = documents(items)
    assert (len(found), any(one.author == "" or one.updated_at is None for one in found.values())) == (15, False)
    before = len(github.asked_for)
    assert documents(connector.read(UNIT, last_cursor(items))) == {}
    assert len(github.asked_for) - before < idle, "what has its time is asked for no more"


def test_a_file_whose_commit_alone_is_not_given_is_asked_about_again(
    github: OneRepository, connector: GitHubConnector
) -> None:
    fill(github, 0)
    github.graphql = False
    path = "repos/acme/api/commits"

    def refuse(request: httpx.Request) -> None:
        github.answers.pop(path, None)
        if request.url.params.get("path") == "LICENSE":
            github.answers[path] = lambda request: httpx.Response(403, json={"message": "no"})

    github.before = refuse
    items = list(connector.read(UNIT))
    undated = {name for name, one in documents(items).items() if one.updated_at is None}
    assert (undated, len(documents(items))) == ({"blob/LICENSE"}, 3)
    github.before = lambda request: github.answers.clear()
    (found,) = documents(connector.read(UNIT, last_cursor(items))).values()
    assert (found.title, found.updated_at is not None) == ("LICENSE", True)


def test_a_file_that_never_has_a_commit_keeps_no_other_from_its_time(
    github: OneRepository, connector: GitHubConnector
) -> None:
    fill(github, 0)
    github.graphql = False
    path, never = "repos/acme/api/commits", {"LICENSE", "README.md"}

    def leave_out(request: httpx.Request) -> None:
        github.answers.pop(path, None)
        if request.url.params.get("path") in never:
            github.answers[path] = lambda request: httpx.Response(200, json=[])

    github.before = leave_out
    items = list(connector.read(UNIT))
    assert {name for name, one in documents(items).items() if one.updated_at is None} == {
        f"blob/{one}" for one in never
    }
    never.remove("README.md")
    dated: set[str] = set()
    for _ in range(4):
        before = github.paths()[path]
        items = list(connector.read(UNIT, last_cursor(items)))
        dated |= {name for name, one in documents(items).items() if one.updated_at is not None}
    assert dated == {"blob/README.md"}
    assert github.paths()[path] - before == 1, "however long it has none"


def test_files_that_are_not_text_are_passed_over_with_a_reason(
    github: OneRepository, connector: GitHubConnector
) -> None:
    github.api.files = {
        "empty.md": b" \n",
        "data.txt": b"\x00\x01",
        "large.txt": b"x" * (MAX_FILE_BYTES + 1),
        "model.txt": b"version https://git-lfs.github.com/spec/v1\noid sha256:1",
        "logo.png": b"\x89PNG",
        "latin.txt": "café".encode("cp1252"),
        "wide.txt": "naïve".encode("utf-16"),
        "bom.md": "é".encode("utf-8-sig"),
    }
    items = list(connector.read(UNIT))
    reasons = {item.title: item.reason for item in items if isinstance(item, Skipped)}
    assert reasons == {
        "empty.md": "empty",
        "data.txt": "binary content",
        "large.txt": "larger than 2 MB (2.0 MB)",
        "model.txt": "kept in Git LFS",
        "logo.png": "not a text file by its name",
    }
    contents = {name: document.content for name, document in documents(items).items()}
    assert contents == {"blob/latin.txt": "café", "blob/wide.txt": "naïve", "blob/bom.md": "é"}
    again = list(connector.read(UNIT, last_cursor(items)))
    assert [item for item in again if not isinstance(item, Checkpoint | PartState)] == []


@pytest.mark.parametrize("etags", [True, False])
def test_a_truncated_tree_is_walked(github: OneRepository, connector: GitHubConnector, etags: bool) -> None:
    github.etags, github.tree_limit = etags, 4
    github.api.files = {
        f"{top}/{inner}/{name}.md": f"{top}{inner}{name}".encode() for top in "ab" for inner in "cd" for name in "xyz"
    }
    github.api.files["top.md"] = b"top"
    items = list(connector.read(UNIT))
    assert set(documents(items)) == {f"blob/{path}" for path in github.api.files}
    del github.api.files["b/d/z.md"]
    again = list(connector.read(UNIT, last_cursor(items)))
    assert [item for item in again if not isinstance(item, Checkpoint | PartState)] == [
        Deleted(f"{ROOT}/blob/b/d/z.md")
    ]


def test_listed_files_that_are_not_found_have_failed_and_stop_nothing(
    github: OneRepository, connection: GitHubConnection, connector: GitHubConnector
) -> None:
    """However many there are: an emulator may serve a part of its objects, a replica lag behind a push."""
    github.graphql = False

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, json={}) if "/git/blobs/" in request.url.path else github.serve(request)

    for number in range(4):  # more would be read by GraphQL
        github.write(github.api, f"{number}.md", f"words {number}")
    items = list(connect(connection, httpx.MockTransport(answer)).read(UNIT))
    ids = [f"{ROOT}/blob/{number}.md" for number in range(4)]
    assert [item.document_id for item in items if isinstance(item, Failed)] == ids
    assert isinstance(items[-1], Checkpoint)
    assert [item.id for item in connector.fetch(UNIT, ids) if isinstance(item, Document)] == ids


def test_an_empty_repository_has_no_files(github: OneRepository, connector: GitHubConnector) -> None:
    items = list(connector.read(UNIT))
    assert last_cursor(items)["files"] == {}
    assert all(isinstance(item, Checkpoint | PartState) for item in items)


def test_pull_requests_are_read_where_issues_are_switched_off(
    github: OneRepository, connector: GitHubConnector
) -> None:
    fill(github)
    pulls = [issue for issue in github.issues.values() if issue.pop("pull_request", None)]
    for pull in pulls:
        pull.update(head={"ref": "fix"}, base={"ref": "main"}, merged_at="2026-01-02T00:00:00Z", state="closed")
        github.answers[f"repos/acme/api/pulls/{pull['number']}"] = with_body(pull)
    github.described["has_issues"] = False
    gone = httpx.Response(410, json={"message": "Issues are disabled for this repo"})
    github.answers["repos/acme/api/issues"] = lambda request: gone
    github.answers["repos/acme/api/pulls"] = lambda request: github.page(
        sorted(pulls, key=lambda pull: pull["updated_at"], reverse=request.url.params["direction"] == "desc"), request
    )
    items = list(connector.read(UNIT))
    found = documents(items)
    assert {name for name in found if not name.startswith("blob")} == {"pull/3", "pull/6"}
    assert found["pull/3"].tags == ("merged", "bug")
    assert isinstance(items[-1], Checkpoint)
    assert items[-1].complete
    cursor = last_cursor(items)
    assert not documents(connector.read(UNIT, cursor))
    pulls[0]["updated_at"] = github.tick()
    assert set(documents(connector.read(UNIT, cursor))) == {"pull/3"}
    assert list(connector.fetch(UNIT, [f"{ROOT}/pull/6"])) == [found["pull/6"]]


@pytest.mark.parametrize("status", [403, 404])
def test_one_part_out_of_reach_leaves_the_other(github: OneRepository, connector: GitHubConnector, status: int) -> None:
    fill(github, 2)
    github.answers["repos/acme/api/git/trees/main"] = lambda request: httpx.Response(status, json={"message": "no"})
    items = list(connector.read(UNIT))
    assert set(documents(items)) == {"issues/1", "issues/2"}
    ((part, (state, reason)),) = stopped(items).items()
    assert (part, state, "git/trees" in reason, "Contents: read" in reason) == ("files", "refused", True, True)
    assert not any(isinstance(item, Deleted) for item in items)


def collect(reading: Iterable[Item], items: list[Item]) -> None:
    """Put items into a list of the caller's, who keeps those before an error."""
    for item in reading:
        items.append(item)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(403, json={"message": "Resource not accessible"}), Failed),
        (httpx.Response(422, json={"message": "odd"}), Failed),
        (httpx.Response(502, text="<html>"), Failed),
        (httpx.Response(200, text='[{"body": "cut'), Failed),
        (httpx.Response(200, json=[{"user": "text", "body": 1}]), Failed),
        (httpx.Response(404, json={}), Failed),
        (httpx.Response(410, json={}), Failed),
        (httpx.Response(451, json={}), Deleted),
    ],
)
def test_one_bad_object_does_not_stop_the_read(
    github: OneRepository, connector: GitHubConnector, answer: httpx.Response, kind: type
) -> None:
    fill(github, 3)
    github.issues[2]["comments"] = 1
    github.answers["repos/acme/api/issues/2/comments"] = lambda request: httpx.Response(
        answer.status_code, content=answer.content
    )
    if answer.status_code in (404, 410, 451):
        github.answers["repos/acme/api/issues/2"] = github.answers["repos/acme/api/issues/2/comments"]
    items = list(connector.read(UNIT))
    assert [getattr(item, "document_id", "") for item in items if isinstance(item, kind)] == [f"{ROOT}/issues/2"]
    assert {"issues/1", "pull/3", "blob/README.md"} <= set(documents(items))
    assert isinstance(items[-1], Checkpoint)
    assert items[-1].complete


@pytest.mark.parametrize(
    ("place", "failing"),
    [
        ("issues/{}/comments", {"issues"}),
        ("pulls/{}/reviews", {"pull requests"}),
        ("pulls/{}", {"pull requests"}),
    ],
)
@pytest.mark.parametrize("answer", [httpx.Response(503), httpx.Response(200, text="[{")], ids=["503", "half"])
def test_objects_that_fail_in_a_row_stop_their_part_and_no_other(
    github: OneRepository, connector: GitHubConnector, place: str, failing: set[str], answer: httpx.Response
) -> None:
    fill(github, 30)
    for number in github.issues:
        github.issues[number]["comments"] = 1
        github.answers[f"repos/acme/api/{place.format(number)}"] = lambda request: httpx.Response(
            answer.status_code, content=answer.content
        )
    items = list(connector.read(UNIT))
    assert {item.part for item in items if isinstance(item, PartState) and item.status == "failing"} == failing
    assert len([item for item in items if isinstance(item, Failed)]) <= 3
    read = documents(items)
    assert "blob/README.md" in read
    assert ("issues/1" in read) is ("issues" not in failing)
    github.answers.clear()
    assert isinstance(items[-1], Checkpoint)
    again = list(connector.read(UNIT, items[-1].cursor))
    named = {item.document_id.removeprefix(f"{ROOT}/") for item in items if isinstance(item, Failed)}
    expected = {name for name in map(str, documents(connector.read(UNIT))) if name.startswith(("issues/", "pull/"))}
    assert expected <= set(read) | set(documents(again)) | named


@pytest.mark.parametrize(
    ("place", "part"),
    [("issues/{}/comments", "issues"), ("pulls/{}/reviews", "pull requests"), ("pulls/{}", "pull requests")],
)
def test_a_part_of_which_every_object_is_refused_is_refused(
    github: OneRepository, connector: GitHubConnector, place: str, part: str
) -> None:
    fill(github, 30)
    for number in github.issues:
        github.issues[number]["comments"] = 1
    complete = set(documents(connector.read(UNIT)))
    for number in github.issues:
        github.answers[f"repos/acme/api/{place.format(number)}"] = lambda request: httpx.Response(403, json={})
    items = list(connector.read(UNIT))
    assert part in {item.part for item in items if isinstance(item, PartState) and item.status == "refused"}
    assert [item for item in items if isinstance(item, Failed | Deleted)] == []
    (subject,) = [one for one in connector.check() if one.subject == part]
    assert (subject.ok, subject.permission != "") == (False, True)
    github.answers.clear()
    assert isinstance(items[-1], Checkpoint)
    assert set(documents(items)) | set(documents(connector.read(UNIT, items[-1].cursor))) == complete


def test_one_object_that_is_refused_refuses_no_part(github: OneRepository, connector: GitHubConnector) -> None:
    fill(github, 30)
    github.answers["repos/acme/api/pulls/6"] = lambda request: httpx.Response(403, json={})
    items = list(connector.read(UNIT))
    assert [item.document_id for item in items if isinstance(item, Failed)] == [f"{ROOT}/pull/6"]
    assert {item.status for item in items if isinstance(item, PartState)} == {"complete"}


def test_a_server_that_stops_answering_stops_the_read(
    github: OneRepository, connection: GitHubConnection, connector: GitHubConnector
) -> None:
    fill(github, 30)
    for number in github.issues:
        github.issues[number]["comments"] = 1

    def answer(request: httpx.Request) -> httpx.Response:
        started = any("/comments" in one.url.path and "issues/" in one.url.path for one in github.asked_for)
        return httpx.Response(503) if started else github.serve(request)

    items: list[Item] = []
    with pytest.raises(Unavailable):
        collect(connect(connection, httpx.MockTransport(answer)).read(UNIT), items)
    assert not any(path in github.paths() for path in ("graphql", "repos/acme/api/releases"))


@pytest.mark.parametrize("place", ["issues", "issues/comments", "graphql", "releases", "git/trees/main"])
def test_a_server_that_is_down_is_left_soon(
    github: OneRepository, connection: GitHubConnection, connector: GitHubConnector, place: str
) -> None:
    """And the next read goes on from the last checkpoint."""
    fill(github)
    refused: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if not refused and not request.url.path.endswith(f"/{place}"):
            return github.serve(request)
        refused.append(request)
        return httpx.Response(503)

    items: list[Item] = []
    with pytest.raises(Unavailable):
        collect(connect(connection, httpx.MockTransport(answer)).read(UNIT), items)
    assert len(refused) <= 10
    cursors = [item.cursor for item in items if isinstance(item, Checkpoint)]
    rest = list(connector.read(UNIT, cursors[-1] if cursors else None))
    assert len(documents(items) | documents(rest)) == 8 + 3
    assert not set(documents(items)) & set(documents(rest))


def test_a_limit_is_not_one_objects(github: OneRepository, connector: GitHubConnector) -> None:
    fill(github, 3)
    github.issues[2]["comments"] = 1
    limit = httpx.Response(403, headers={"retry-after": "900"}, json={})
    github.answers["repos/acme/api/issues/2/comments"] = lambda request: limit
    with pytest.raises(RateLimited):
        list(connector.read(UNIT))


def test_a_token_that_is_revoked_meanwhile_is_not_one_parts(github: OneRepository, connector: GitHubConnector) -> None:
    fill(github, 3)
    reading = connector.read(UNIT)
    next(reading)
    github.tokens.clear()
    with pytest.raises(AuthenticationFailed):
        list(reading)


@pytest.mark.parametrize(
    "payload",
    [
        {"number": 1, "updated_at": "2026-01-01T00:00:00Z"},
        {"number": 1, "updated_at": None, "user": None, "body": None, "labels": None, "title": None},
        {"number": 1, "labels": ["plain"], "milestone": None, "assignees": None, "pull_request": None},
    ],
)
def test_missing_fields(github: OneRepository, connector: GitHubConnector, payload: dict[str, Any]) -> None:
    github.issues[1] = {"updated_at": "", **payload}
    document = documents(connector.read(UNIT))["issues/1"]
    assert (document.title, document.author) == ("#1", "ghost")
    assert document.url == "https://github.test/acme/api/issues/1"


RELATIONS = "https://ghe.test/api/v3/repos"


@pytest.mark.parametrize(
    ("payload", "answers", "shown"),
    [
        ({"parent_issue_url": f"{RELATIONS}/Acme/API/issues/9"}, {}, "Parent: #9"),
        ({"parent_issue_url": f"{RELATIONS}/corp/secret/issues/9"}, {}, "Parent: an issue of another repository"),
        (
            {"parent_issue_url": f"{RELATIONS}/corp/secret/issues/9"},
            {"parent": {"number": 9, "repository": {"full_name": "corp/secret", "private": True}}},
            "Parent: an issue of another repository",
        ),
        (
            {"parent_issue_url": f"{RELATIONS}/acme/web/issues/9"},
            {"parent": {"number": 9, "repository": {"full_name": "acme/web", "visibility": "public"}}},
            "Parent: acme/web#9",
        ),
        (
            {"sub_issues_summary": {"total": 3, "completed": 1}},
            {
                "sub_issues": [
                    {"number": 2, "state": "closed", "repository_url": f"{RELATIONS}/acme/api"},
                    {"number": 3, "state": "open"},
                    {"number": 4, "state": "open", "repository_url": f"{RELATIONS}/corp/secret"},
                ]
            },
            "Sub-issues: 1 of 3 completed (#2 (closed), #3, an issue of another repository)",
        ),
        (
            {"issue_dependencies_summary": {"blocked_by": 1}},
            {"dependencies/blocked_by": [{"number": 5, "state": "open"}]},
            "Blocked by: #5",
        ),
        ({"issue_dependencies_summary": {"blocked_by": 1}}, {}, "Blocked by: 1 issue"),
    ],
)
def test_related_issues_are_named_as_their_readers_may_know_them(
    github: OneRepository, connector: GitHubConnector, payload: Any, answers: dict[str, Any], shown: str
) -> None:
    github.add_issue(1, **payload)
    for path, body in answers.items():
        github.answers[f"repos/acme/api/issues/1/{path}"] = with_body(body)
    (document,) = documents(connector.read(UNIT)).values()
    assert f" · {shown}\n" in str(document.content)


def test_a_time_that_is_none_is_recorded(github: OneRepository, connector: GitHubConnector) -> None:
    github.add_issue(1, updated_at="yesterday")
    (failed,) = [item for item in connector.read(UNIT) if isinstance(item, Failed)]
    assert failed.document_id == f"{ROOT}/issues/1"
    assert "a time that is none" in failed.error
    assert "yesterday" not in failed.error


def test_fetch_looks_again(github: OneRepository, connector: GitHubConnector) -> None:
    fill(github, 4)
    read = documents(connector.read(UNIT))
    del github.issues[2]
    github.issues[4]["repository_url"] = "https://ghe.test/api/v3/repos/acme/other"  # transferred
    wanted = ["issues/1", "issues/2", "pull/3", "issues/3", "issues/4", "blob/README.md", "blob/gone.md", "wiki/x"]
    ids = [*(f"{ROOT}/{name}" for name in wanted), "github:other/77/issues/1", f"{ROOT}/issues/x"]
    found = list(connector.fetch(UNIT, ids))
    assert [item.id if isinstance(item, Document) else item for item in found] == [
        f"{ROOT}/issues/1",
        Deleted(f"{ROOT}/issues/2"),
        f"{ROOT}/pull/3",
        Deleted(f"{ROOT}/issues/3"),
        Deleted(f"{ROOT}/issues/4"),
        f"{ROOT}/blob/README.md",
        *(Deleted(f"{ROOT}/{name}") for name in ("blob/gone.md", "wiki/x")),
        Deleted("github:other/77/issues/1"),
        Deleted(f"{ROOT}/issues/x"),
    ]
    assert documents(found) == {name: read[name] for name in ("issues/1", "pull/3", "blob/README.md")}


def test_fetch_of_nothing_asks_nothing(github: OneRepository, connector: GitHubConnector) -> None:
    assert list(connector.fetch(UNIT, [])) == []
    assert github.asked_for == []
    assert connector.requests == 0


def test_check_names_the_token_its_reach_and_each_part(github: OneRepository, connector: GitHubConnector) -> None:
    findings = connector.check()
    assert [(finding.subject, finding.ok, finding.detail) for finding in findings] == [
        ("credentials", True, "bot, scopes: repo, read:org"),
        ("repositories", True, "1 in reach"),
        *((part.name, True, "ok") for part in PARTS[:-2]),
        ("wiki", True, "not tried: it is switched off"),
        ("collaborators", True, "not needed: everybody may read all repositories in reach"),
    ]


def test_check_asks_for_a_part_where_there_is_one(github: OneRepository, connector: GitHubConnector) -> None:
    """And for collaborators where the token may not write."""
    github.described.update(private=True, visibility="private", has_issues=False, permissions={"push": True})
    read_only = github.repository("acme/web", private=True)
    read_only.more = {"permissions": {"push": False}}
    assert all(finding.ok for finding in connector.check())
    assert (github.paths()["repos/acme/web/issues"], github.paths()["repos/acme/api/pulls"]) == (1, 1)
    assert github.paths()["repos/acme/web/collaborators"] == 1


@pytest.mark.parametrize(
    ("part", "how"),
    [
        (part, how)
        for part in PARTS
        for how in ("forbidden", "missing", "down", "odd")
        if (part, how) != (WIKI, "missing")
    ],
)
def test_check_says_what_is_lost_without_a_part(
    github: OneRepository, connector: GitHubConnector, part: Part, how: Refusal
) -> None:
    github.write_page(github.api, "Home.md", "# Words")
    github.described.update(private=True, visibility="private", has_wiki=True)
    github.refuse(part.name, how)
    (finding,) = [one for one in connector.check() if not one.ok]
    assert (finding.subject, finding.lost) == (part.name, part.lost)
    assert bool(finding.permission) == (how in ("forbidden", "missing"))
    if how == "forbidden" and part.name not in ("discussions", "wiki", "collaborators"):
        assert finding.permission.endswith("=read")  # GitHub's own word
    elif how == "forbidden":
        assert finding.permission == part.permission
    assert (part.name == "collaborators") == ("acme/api is visible to nobody" in finding.detail)


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (lambda request: httpx.Response(401, json={"message": "Bad credentials"}), "Bad credentials"),
        (lambda request: httpx.Response(503), "HTTP 503"),
    ],
)
def test_check_says_what_is_wrong(
    github: OneRepository, connector: GitHubConnector, answer: Answer, detail: str
) -> None:
    github.answers["user"] = answer
    (finding,) = connector.check()
    assert not finding.ok
    assert detail in finding.detail
    assert "ghp-secret" not in finding.detail
