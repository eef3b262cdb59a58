"""What real servers answer that the documentation does not dwell on: nulls, parts that fail, listings that are not
there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.contract import Checkpoint, Deleted, Failed, Item, ListingEntry, Skipped
from connectors.errors import SourceError
from connectors.github.settings import GitHubConnection
from connectors.github.source import GitHubConnector, connect
from connectors.model import Document, Unit
from tests.connectors.github.conftest import OneRepository, stopped

UNIT = Unit("77", "acme/api")
ROOT = "github:acme-github/77"
REPOSITORY = "repos/acme/api"
PUBLISHED = "2026-01-01T00:00:00Z"

Answer = Callable[[httpx.Request], httpx.Response]


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    if isinstance(body, str):
        return lambda request: httpx.Response(status, text=body, headers=headers)
    return lambda request: httpx.Response(status, json=body, headers=headers)


def read(connector: GitHubConnector, cursor: dict[str, Any] | None = None) -> tuple[list[Item], SourceError | None]:
    """What came, and the error that ended it."""
    items: list[Item] = []
    try:
        for item in connector.read(UNIT, cursor):
            items.append(item)
    except SourceError as error:
        return items, error
    return items, None


def names(items: Iterable[Item], kind: type = Document) -> set[str]:
    found = (item for item in items if isinstance(item, kind))
    return {str(getattr(one, "id", None) or getattr(one, "document_id", "")).removeprefix(f"{ROOT}/") for one in found}


def cursor_of(items: list[Item]) -> dict[str, Any]:
    assert isinstance(items[-1], Checkpoint)
    cursor: dict[str, Any] = json.loads(json.dumps(items[-1].cursor))
    return cursor


def release(number: int, **more: Any) -> dict[str, Any]:
    named = {"id": number, "tag_name": f"v{number}", "name": f"Release {number}", "body": "Notes"}
    return {**named, "published_at": PUBLISHED, "author": None, **more}


@pytest.mark.parametrize(
    ("path", "given", "part", "told"),
    [
        ("graphql", answer(500, "<html>"), "discussions", ("failing", "HTTP 500")),
        ("graphql", answer(200, "<html>"), "discussions", ("failing", "not JSON")),
        ("graphql", answer(401, {"message": "Requires authentication"}), "discussions", ("refused", "authentication")),
        ("issues/comments", answer(502, "<html>"), "issues", ("failing", "HTTP 502")),
        ("issues", answer(202), "issues", ("failing", "not JSON")),
        ("releases", answer(200, [{"tag_name": "v1"}]), "releases", ("failing", "without an id")),
        ("git/trees/main", answer(200, {"tree": [{"path": "README.md", "type": "blob"}]}), "files", ("failing", "sha")),
        ("git/trees/main", answer(200, {"tree": [None]}), "files", ("failing", "tree.0")),
    ],
)
def test_trouble_with_one_part_leaves_the_others(
    github: OneRepository, connector: GitHubConnector, path: str, given: Answer, part: str, told: tuple[str, str]
) -> None:
    github.add_issue(1)
    github.api.files = {"README.md": b"Words"}
    github.answers[f"{REPOSITORY}/releases"] = answer(200, [release(1)])
    place = "/api/graphql" if path == "graphql" else f"{REPOSITORY}/{path}"
    github.answers[place] = given
    items, raised = read(connector)
    assert raised is None
    ((name, (status, reason)),) = stopped(items).items()
    assert (name, status, told[1] in reason) == (part, told[0], True)
    lost = {"issues": "issues/1", "releases": "releases/1", "git/trees/main": "blob/README.md"}.get(path)
    assert names(items) == {"issues/1", "releases/1", "blob/README.md"} - {lost}
    assert not any(isinstance(item, Deleted) for item in items)
    assert isinstance(items[-1], Checkpoint)
    del github.answers[place]
    github.answers[f"{REPOSITORY}/releases"] = answer(200, [release(1)])
    again, raised = read(connector, cursor_of(items))
    assert (raised, stopped(again), names(again)) == (None, {}, {lost} - {None})


def test_a_server_whose_graphql_knows_no_discussions_has_none(
    github: OneRepository, connector: GitHubConnector
) -> None:
    github.add_issue(1)
    message = 'Cannot query field "discussions" on type "Repository".'
    github.answers["/api/graphql"] = answer(200, {"errors": [{"message": message, "locations": []}]})
    items, raised = read(connector)
    assert raised is None
    assert names(items) == {"issues/1"}


@pytest.mark.parametrize("unknown", [["poll"], ["isMinimized", "stateReason"], ["question", "closed", "labels"]])
def test_fields_that_an_older_server_does_not_know_cost_no_discussion(
    github: OneRepository, connection: GitHubConnection, unknown: list[str]
) -> None:
    """GitHub refuses a query as a whole, and names all fields of it that it does not know."""
    number = github.discussion(github.api, "Question", "Words")
    github.discuss(github.api, number, "An answer")
    errors = [
        {
            "message": f"Field '{name}' doesn't exist on type 'Discussion'",
            "extensions": {"code": "undefinedField", "typeName": "Discussion", "fieldName": name},
        }
        for name in unknown
    ]

    def old(request: httpx.Request) -> httpx.Response:
        refused = "graphql" in request.url.path and any(name in request.content.decode() for name in unknown)
        return httpx.Response(200, json={"errors": errors}) if refused else github.serve(request)

    (document,) = [
        item for item in connect(connection, httpx.MockTransport(old)).read(UNIT) if isinstance(item, Document)
    ]
    assert "Words" in str(document.content)
    assert "An answer" in str(document.content)


@pytest.mark.parametrize("listing", ["pulls/1/reviews", "pulls/1/comments", "issues/1/comments"])
def test_a_listing_that_a_server_lacks_costs_nothing_else(
    github: OneRepository, connector: GitHubConnector, listing: str
) -> None:
    github.add_issue(1, pull=True, comments=1)
    for path in (listing, "pulls/comments", "issues/comments"):
        github.answers[f"{REPOSITORY}/{path}"] = answer(404, {"message": "Not Found"})
    items, raised = read(connector)
    assert raised is None
    assert names(items) == {"pull/1"}


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("listing", ["pulls/1/reviews", "pulls/1/comments", "issues/1/comments"])
def test_a_listing_that_is_not_found_for_one_object_is_not_empty(
    github: OneRepository, connector: GitHubConnector, listing: str, status: int
) -> None:
    """The server has such listings, as that of the whole repository shows: what was said is there, and cannot be
    read."""
    github.add_issue(1, pull=True, comments=1)
    github.add_issue(2, pull=True, comments=1)
    github.review_comment(github.api, 1, "a.md", 1, "Why?")
    github.answers[f"{REPOSITORY}/{listing}"] = answer(status, {"message": "Not Found"})
    items, raised = read(connector)
    assert raised is None
    assert names(items) == {"pull/2"}
    (failed,) = [item for item in items if isinstance(item, Failed)]
    assert (failed.document_id, listing in failed.error) == (f"{ROOT}/pull/1", True)


def test_nulls_in_listings_are_nothing(github: OneRepository, connector: GitHubConnector) -> None:
    github.add_issue(1, assignees=[None, {"login": "bob"}], comments=2)
    comments = [None, {"user": None, "body": "Said", "created_at": PUBLISHED}]
    github.answers[f"{REPOSITORY}/issues/1/comments"] = answer(200, comments)
    github.answers[f"{REPOSITORY}/releases"] = answer(200, [None, release(1, assets=[None, {"name": "tool.zip"}])])
    items, raised = read(connector)
    assert raised is None
    contents = {item.id.removeprefix(f"{ROOT}/"): str(item.content) for item in items if isinstance(item, Document)}
    assert "Assignees: bob" in contents["issues/1"]
    assert "Comment by ghost" in contents["issues/1"]
    assert "Files: tool.zip" in contents["releases/1"]


def test_what_a_listing_has_null_for_is_asked_for_once_more(github: OneRepository, connector: GitHubConnector) -> None:
    github.add_issue(1, comments=2)
    said = [{"body": body, "created_at": PUBLISHED} for body in ("Said first", "Said next")]
    given: Iterator[list[Any]] = iter([[said[0], None], said])
    github.answers[f"{REPOSITORY}/issues/1/comments"] = lambda request: github.page(next(given), request)
    items, raised = read(connector)
    assert raised is None
    (issue,) = [item for item in items if isinstance(item, Document) and item.kind == "issue"]
    assert "Said next" in str(issue.content)


def test_what_a_discussion_has_null_for_is_asked_for_once_more(
    github: OneRepository, connector: GitHubConnector
) -> None:
    github.described["has_discussions"] = True
    number = github.discussion(github.api, "Which oil?", "Of olives?")
    for body in ("Linseed", "Whale"):
        github.discuss(github.api, number, body)
    nulled: list[httpx.Request] = []

    def graphql(request: httpx.Request) -> httpx.Response:
        del github.answers["/api/graphql"]
        found = github.serve(request)
        github.answers["/api/graphql"] = graphql
        data = found.json()
        if nulled or f"d{number}" not in (data["data"].get("repository") or {}):
            return found
        nulled.append(request)
        data["data"]["repository"][f"d{number}"]["comments"]["nodes"][0] = None
        return httpx.Response(200, json=data)

    github.answers["/api/graphql"] = graphql
    items, raised = read(connector)
    assert (raised, len(nulled)) == (None, 1)
    (discussion,) = [item for item in items if isinstance(item, Document) and item.kind == "discussion"]
    assert "Linseed" in str(discussion.content)


@pytest.mark.parametrize(("size", "empty"), [(0, True), (12, False), (None, False)])
def test_a_tree_that_is_not_there_is_empty_only_in_an_empty_repository(
    github: OneRepository, connector: GitHubConnector, size: int | None, empty: bool
) -> None:
    github.described["size"] = size
    github.answers[f"{REPOSITORY}/git/trees/main"] = answer(404, {"message": "Not Found"})
    items, _ = read(connector)
    assert set(stopped(items)) == (set() if empty else {"files"})


@pytest.mark.parametrize("body", [{"encoding": "none", "content": "", "size": 5}, {"encoding": "base64"}])
def test_a_blob_without_its_content_has_failed(
    github: OneRepository, connector: GitHubConnector, body: dict[str, Any]
) -> None:
    github.api.files = {"README.md": b"Words"}
    (blob,) = connector._client.tree("acme/api", "main").files  # type: ignore[union-attr]
    github.answers[f"{REPOSITORY}/git/blobs/{blob.sha}"] = answer(200, body)
    items, _ = read(connector)
    assert names(items, Failed) == {"blob/README.md"}
    assert not names(items, Document) | names(items, Skipped)


def test_a_comment_that_calls_a_pull_request_an_issue_is_found(
    github: OneRepository, connector: GitHubConnector
) -> None:
    github.add_issue(1, pull=True)
    items, _ = read(connector)
    comment = {"id": 9, "user": None, "body": "Late", "created_at": PUBLISHED, "updated_at": "2100-01-01T00:00:00Z"}
    address = {"issue_url": "https://x.test/repos/acme/api/issues/1", "html_url": "https://x.test/issues/1#c9"}
    github.answers[f"{REPOSITORY}/issues/comments"] = answer(200, [{**comment, **address}])
    github.answers[f"{REPOSITORY}/issues/1/comments"] = answer(200, [comment])
    github.issues[1]["comments"] = 1
    again, raised = read(connector, cursor_of(items))
    assert raised is None
    assert names(again) == {"pull/1"}
    assert not names(again, Deleted)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"body": 5}, "body"),
        ({"user": "ada"}, "user"),
        ({"milestone": ["v2"]}, "milestone"),
        ({"updated_at": 17}, "updated_at"),
    ],
)
def test_an_issue_that_is_not_as_documented_costs_itself(
    github: OneRepository, connector: GitHubConnector, wrong: dict[str, Any], named: str
) -> None:
    """However many in a row: they say nothing of the server."""
    for number in range(1, 6):
        github.add_issue(number)
        github.issues[number].update(wrong if number > 1 and "updated_at" not in wrong else {})
    if "updated_at" in wrong:
        github.answers[f"{REPOSITORY}/issues"] = answer(
            200, [github.issues[1], *({**github.issues[n], **wrong} for n in range(2, 6))]
        )
    items, raised = read(connector)
    assert raised is None
    assert names(items) == {"issues/1"}
    assert names(items, Failed) == {f"issues/{number}" for number in range(2, 6)}
    assert all(f"{named}: Input should be" in item.error for item in items if isinstance(item, Failed))


def test_odd_details_cost_nothing_but_themselves(github: OneRepository, connector: GitHubConnector) -> None:
    odd: dict[str, Any] = {
        "labels": "bug",
        "assignees": 5,
        "comments": "many",
        "html_url": None,
        "state": {},
        "draft": None,
    }
    github.add_issue(1, **odd)
    github.answers[f"{REPOSITORY}/releases"] = answer(200, [release(1, assets={"name": "x"}, html_url=5, tag_name=2)])
    items, raised = read(connector)
    assert raised is None
    contents = {item.id.removeprefix(f"{ROOT}/"): str(item.content) for item in items if isinstance(item, Document)}
    assert contents["issues/1"].startswith("State: open\n\nBody 1")
    assert contents["releases/1"] == "Tag: 2 · Published: 2026-01-01\n\nNotes"


def test_half_a_surrogate_pair_is_read(github: OneRepository, connector: GitHubConnector) -> None:
    issue = github.add_issue(1, body="half \ud83d", title="half \ud83d")
    github.answers[f"{REPOSITORY}/issues"] = answer(200, json.dumps([issue]))
    items, raised = read(connector)
    (document,) = [item for item in items if isinstance(item, Document)]
    assert raised is None
    assert (document.title, document.content_bytes[-6:]) == ("half \ud83d", b"half ?")


@pytest.mark.parametrize("draft", [True, "yes", ["odd"]])
def test_what_may_be_a_draft_is_not_shown(github: OneRepository, connector: GitHubConnector, draft: Any) -> None:
    github.answers[f"{REPOSITORY}/releases"] = answer(200, [release(1, draft=draft)])
    items, _ = read(connector)
    assert (names(items), names(items, Skipped)) == (set(), {"releases/1"})


@pytest.mark.parametrize("listing", ["releases", "issues/comments"])
def test_pages_that_lead_back_are_a_loop(github: OneRepository, connector: GitHubConnector, listing: str) -> None:
    """A server whose pages differ each time, in a count or a time, never seems to repeat itself."""
    asked: list[httpx.Request] = []

    def answered(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        link = f'<https://x.test/{REPOSITORY}/{listing}?page=2>; rel="next"'
        return httpx.Response(200, json=[release(1, reactions=len(asked))], headers={"link": link})

    github.answers[f"{REPOSITORY}/{listing}"] = answered
    items, _ = read(connector)
    ((_, reason),) = stopped(items).values()
    assert "pagination loop: cursor repeated" in reason
    assert len(asked) == 2


def test_discussions_that_lead_back_are_a_loop(github: OneRepository, connector: GitHubConnector) -> None:
    page = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "x"}}
    github.answers["/api/graphql"] = answer(200, {"data": {"repository": {"discussions": page}}})
    items, _ = read(connector)
    assert set(stopped(items)) == {"discussions"}


def test_a_discussion_that_is_not_as_documented_costs_itself(github: OneRepository, connector: GitHubConnector) -> None:
    whole = {"number": 1, "title": "Fine", "updatedAt": PUBLISHED, "comments": {"nodes": []}}
    found = {"d1": whole, "d2": {**whole, "number": 2, "comments": {"nodes": [{"body": 5}]}}}

    def graphql(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)["query"]
        if "discussions(" in asked:
            listed = {"nodes": [None, {"number": 2, "updatedAt": PUBLISHED}, {"number": 1, "updatedAt": PUBLISHED}]}
            return httpx.Response(200, json={"data": {"repository": {"discussions": listed}}})
        chosen = {alias: one for alias, one in found.items() if f"{alias}:" in asked}
        return httpx.Response(200, json={"data": {"repository": chosen}})

    github.answers["/api/graphql"] = graphql
    items, raised = read(connector)
    assert raised is None
    assert (names(items), names(items, Failed)) == ({"discussions/1"}, {"discussions/2"})


def test_downloads_of_a_release_are_no_change(github: OneRepository, connector: GitHubConnector) -> None:
    """They count up in the listing, and so in its ETag, all the time."""
    downloads, pages = 0, []

    def releases(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", 1))
        pages.append(page)
        link = {"link": f'<https://x.test/{REPOSITORY}/releases?page={page + 1}>; rel="next"'} if page < 3 else {}
        assets = [{"name": "tool.zip", "download_count": downloads}]
        body = [release(page * 10 + number, assets=assets) for number in range(2)]
        return httpx.Response(200, json=body, headers={"etag": f'W/"{downloads}"', **link})

    github.answers[f"{REPOSITORY}/releases"] = releases
    items, _ = read(connector)
    assert len(names(items)) == 6
    pages.clear()
    downloads = 7
    again, _ = read(connector, cursor_of(items))
    assert pages == [1]
    assert not names(again)


def test_a_change_among_old_releases_is_found_by_a_listing(github: OneRepository, connector: GitHubConnector) -> None:
    """A listing tells by its marks what the first page does not show; not every server tells when it was edited."""
    old = release(1)
    github.answers[f"{REPOSITORY}/releases"] = lambda request: httpx.Response(200, json=[release(2), old])
    before = {one.id: one.fingerprint for one in connector.read(UNIT) if isinstance(one, Document)}
    assert {
        one.document_id: one.fingerprint for one in connector.listing(UNIT) if isinstance(one, ListingEntry)
    } == before
    old["body"] = "Notes, corrected"
    listed = [one for one in connector.listing(UNIT) if isinstance(one, ListingEntry)]
    after = {one.document_id: one.fingerprint for one in listed}
    assert [name for name in after if after[name] != before[name]] == [f"{ROOT}/releases/1"]


def test_releases_that_end_in_an_error_delete_nothing(github: OneRepository, connector: GitHubConnector) -> None:
    link = f'<https://x.test/{REPOSITORY}/releases/more>; rel="next"'
    first, second = [release(3), release(2)], [release(1)]
    github.answers[f"{REPOSITORY}/releases"] = lambda request: httpx.Response(200, json=first, headers={"link": link})
    github.answers[f"{REPOSITORY}/releases/more"] = answer(200, second)
    items, _ = read(connector)
    assert names(items) == {"releases/1", "releases/2", "releases/3"}
    first[0]["body"] = "Other notes"
    github.answers[f"{REPOSITORY}/releases/more"] = answer(404, {"message": "Not Found"})
    again, raised = read(connector, cursor_of(items))
    assert (raised, set(stopped(again))) == (None, {"releases"})
    assert names(again) == {"releases/3"}
    assert not names(again, Deleted)
    assert set(stopped(connector.listing(UNIT))) == {"releases"}


def test_an_issue_that_its_comments_show_is_not_gone_where_its_address_does_not_know_it(
    github: OneRepository, connector: GitHubConnector
) -> None:
    github.add_issue(1)
    comment = github.comment(github.api, 1, "Oil")
    items, _ = read(connector)
    github.clock = datetime.now(UTC)
    github.edit_comment(github.api, 1, comment, "Grease")
    github.answers[f"{REPOSITORY}/issues/1"] = answer(404, {"message": "Not Found"})
    later, raised = read(connector, cursor_of(items))
    assert raised is None
    assert names(later, Failed) == {"issues/1"}
    assert not names(later, Deleted)
    del github.answers[f"{REPOSITORY}/issues/1"]
    (item,) = (one for one in connector.fetch(UNIT, [f"{ROOT}/issues/1"]) if isinstance(one, Document))
    assert "Grease" in str(item.content)


def test_a_discussion_that_is_listed_is_not_gone_where_it_is_not_found(
    github: OneRepository, connector: GitHubConnector
) -> None:
    def graphql(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)["query"]
        listed = {"discussions": {"nodes": [{"number": 1, "updatedAt": PUBLISHED}]}}
        found = listed if "discussions(" in asked else {"d1": None}
        return httpx.Response(200, json={"data": {"repository": found}})

    github.answers["/api/graphql"] = graphql
    items, raised = read(connector)
    assert raised is None
    assert names(items, Failed) == {"discussions/1"}
    assert not names(items, Deleted)
