"""GitHub from its API over HTTP to the embedded index: what changes there changes here, and costs no more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import pytest
from starlette.responses import JSONResponse

from connectors.contract import Item, Skipped
from connectors.github.settings import GitHubConnection
from connectors.model import Document, Unit
from connectors.registry import connect, receive
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import sync_connection
from pipelines.ingestion.unit_listing import sync_units
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.operations.explain import explain
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.github import (
    TOKEN,
    WEBHOOK_SECRET,
    Fault,
    GitHub,
    Repository,
    broken_gateway,
    cut_short,
    rate_limited,
    secondary_limit,
    serving,
)

RECONCILE = SyncOptions(mode="reconcile")
NO_CHANGE = 2 + 2 + 7
"""Requests: the repositories, twice; the collaborators and their addresses; seven of the unit whatever it holds."""


@dataclass
class World:
    github: GitHub
    api: Repository
    services: Services
    connection: GitHubConnection
    embedder: FakeEmbedder

    def sync(self, options: SyncOptions = SyncOptions(), *units: str) -> SyncReport:  # noqa: B008
        self.github.forget()
        return sync_connection(self.services, self.connection, units, options)

    def event(self, delivery: tuple[dict[str, str], bytes]) -> SyncReport:
        """What the worker does: look again at the documents that a webhook names, through the catalog's unit."""
        report = SyncReport()
        for change in receive(self.connection, *delivery, now=0.0).invalidations:
            if change.scope == "document":
                options = SyncOptions(mode="documents", documents=(change.document_id,))
                report.add(self.sync(options, change.unit))
            else:
                report.add(self.sync(SyncOptions(), *([change.unit] if change.unit else [])))
        return report

    @property
    def unit(self) -> str:
        return str(self.api.id)

    @property
    def points(self) -> dict[str, dict[str, Any]]:
        with self.services.store() as store:
            return dict(store.scan())

    @property
    def indexed(self) -> set[str]:
        """Ids of the documents that can be found, without what those of the first repository have in common."""
        return {payload["document_id"].removeprefix(f"{self.root}/") for payload in self.points.values()}

    @property
    def root(self) -> str:
        return f"github:acme/{self.unit}"

    def text(self, document: str, unit: str = "") -> str:
        """Of a document of the first repository, or of another."""
        wanted = f"github:acme/{unit or self.unit}/{document}"
        found = [payload for payload in self.points.values() if payload["document_id"] == wanted]
        return "\n".join(payload["text"] for payload in sorted(found, key=lambda payload: payload["position"]))


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    github = GitHub()
    api = github.repository("acme/api", private=True, collaborators=["ada", "bob"])
    github.emails = {"ada": "ada@acme.test", "bob": "bob@acme.test"}
    for number in range(12):
        issue = github.issue(api, f"Trouble {number}", f"The pump of mill {number} is stuck.")
        github.comment(api, issue, f"Oil helped with pump {number}.")
    pull = github.issue(api, "Grease the wheel", "Fixes #1", pull=True)
    github.review(api, pull, "APPROVED", "Well greased.")
    github.review_comment(api, pull, "wheel.py", 3, "Why not tallow?")
    question = github.discussion(api, "How much water?", "The wheel stands still.")
    answer = github.discuss(api, question, "Two buckets a second.")
    github.discuss(api, question, "That works.", answer)
    github.answer(api, question, answer)
    github.release(api, "v1", "The first wheel turns.")
    github.write(api, "README.md", "# Mill\n\nHow the mill works.")
    github.write(api, "docs/wheel.md", "# Wheel\n\nThe wheel turns by water.")
    github.write(api, "logo.png", b"\x89PNG\0")
    with serving(github) as url:
        connection = GitHubConnection.model_validate(
            {"id": "acme", "source": "github", "token": TOKEN, "base_url": url, "webhook_secret": WEBHOOK_SECRET}
        )
        embedder = FakeEmbedder()
        with Services(settings.model_copy(update={"connections": (connection,)}), embedder) as services:
            yield World(github, api, services, connection, embedder)
    assert github.strayed == []


def test_first_sync_and_no_change(world: World) -> None:
    first = world.sync()
    assert (first.errors, first.documents.new, first.documents.skipped) == ({}, 12 + 1 + 1 + 1 + 2, 1)
    assert world.indexed >= {
        "issues/1",
        "pull/13",
        "discussions/14",
        "blob/README.md",
    }
    assert world.text("pull/13").count("tallow") == 1
    assert "Closes: #1" in world.text("pull/13")
    assert {tuple(payload["readers"]) for payload in world.points.values()} == {(f"group:acme:{world.unit}",)}
    sent, points = world.embedder.requests, world.points
    for options in (SyncOptions(), RECONCILE, SyncOptions(mode="full")):
        report = world.sync(options)
        assert (report.errors, report.documents.new, report.documents.changed, report.documents.deleted) == (
            {},
            0,
            0,
            0,
        )
    assert (world.embedder.requests, world.points) == (sent, points)


def test_nothing_new_costs_the_same_however_much_there_is(world: World) -> None:
    first = sum(world.sync().requests.values())
    assert sum(world.sync().requests.values()) == NO_CHANGE
    for number in range(120):
        world.github.issue(world.api, f"More {number}", "text")
        world.github.write(world.api, f"docs/{number}.md", "text")
    world.sync()
    report = world.sync()
    assert (report.documents.read, sum(report.requests.values())) == (0, NO_CHANGE)
    assert first > NO_CHANGE


Change = Callable[[World], object]


EDITS: list[tuple[Change, str | None, str]] = [
    (lambda w: w.github.edit_issue(w.api, 3, body="The belt has torn."), "issues/3", "The belt has torn."),
    (
        lambda w: w.github.edit_issue(w.api, 3, state="closed", state_reason="completed"),
        "issues/3",
        "State: closed",
    ),
    (lambda w: w.github.edit_issue(w.api, 3, labels=[{"name": "urgent"}]), "issues/3", "Labels: urgent"),
    (lambda w: w.github.edit_issue(w.api, 3, milestone={"title": "Spring"}), "issues/3", "Milestone: Spring"),
    (lambda w: w.github.comment(w.api, 3, "Now it turns."), "issues/3", "Now it turns."),
    (
        lambda w: w.github.edit_comment(w.api, 3, next(iter(w.api.comments[3])), "Only tar helped."),
        "issues/3",
        "Only tar helped.",
    ),
    (lambda w: w.github.merge(w.api, 13), "pull/13", "State: merged"),
    (lambda w: w.github.review(w.api, 13, "CHANGES_REQUESTED", "Use tallow."), "pull/13", "Use tallow."),
    (lambda w: w.github.review_comment(w.api, 13, "axle.py", 9, "Too thin."), "pull/13", "Too thin."),
    (lambda w: w.github.edit_discussion(w.api, 14, body="It rusts."), "discussions/14", "It rusts."),
    (lambda w: w.github.discuss(w.api, 14, "Three buckets."), "discussions/14", "Three buckets."),
    (lambda w: w.api.releases[next(iter(w.api.releases))].update(body="It hums."), None, "It hums."),
    (
        lambda w: w.github.write(w.api, "docs/wheel.md", "The wheel is new."),
        "blob/docs/wheel.md",
        "The wheel is new.",
    ),
    (lambda w: w.github.issue(w.api, "Frost", "Ice everywhere."), "issues/15", "Ice everywhere."),
    (lambda w: w.github.discussion(w.api, "Ice?", "What of ice?"), "discussions/16", "What of ice?"),
    (lambda w: w.github.release(w.api, "v2", "It sings."), None, "It sings."),
    (lambda w: w.github.write(w.api, "docs/new.md", "Newly built."), "blob/docs/new.md", "Newly built."),
]


def test_what_is_edited_or_new_is_found_by_the_next_sync(world: World) -> None:
    world.sync()
    for change, document, expected in EDITS:
        change(world)
        report = world.sync()
        found = document or f"releases/{list(world.api.releases)[-1]}"
        assert (expected, report.errors, report.documents.read) == (expected, {}, 1)
        assert expected in world.text(found)
        assert report.embedding.inputs <= 2


DELETIONS: list[tuple[Change, str, SyncOptions]] = [
    (lambda w: w.github.delete_issue(w.api, 3), "issues/3", RECONCILE),
    (lambda w: w.github.delete_discussion(w.api, 14), "discussions/14", RECONCILE),
    (lambda w: w.api.releases.clear(), "releases", SyncOptions()),
    (lambda w: w.github.delete_file(w.api, "docs/wheel.md"), "blob/docs/wheel.md", SyncOptions()),
]


def test_what_is_deleted_leaves_the_index(world: World) -> None:
    world.sync()
    sent = world.embedder.requests
    for change, document, options in DELETIONS:
        before = world.indexed
        change(world)
        report = world.sync(options)
        assert (document, report.errors, report.documents.deleted) == (document, {}, 1)
        (gone,) = before - world.indexed
        assert gone.startswith(document)
    assert world.embedder.requests == sent


def test_pages_of_a_wiki_follow_their_repository(world: World) -> None:
    """Written, edited, renamed and deleted through git; an idle sync asks for the newest commit alone."""
    world.sync()
    world.github.write_page(world.api, "Home.md", "# Mills\n\nAll about mills.")
    world.github.write_page(world.api, "Oil-the-wheel.md", "Use tallow.")
    report = world.sync()
    assert (report.errors, report.documents.new, report.refused) == ({}, 2, {})
    assert world.text("wiki/Oil-the-wheel.md") == "Use tallow."
    assert sum(world.sync().requests.values()) == NO_CHANGE + 1
    world.github.write_page(world.api, "Oil-the-wheel.md", "Use linseed oil.")
    report = world.event(world.github.webhook("gollum", world.api, pages=[{"page_name": "Oil-the-wheel"}]))
    assert (report.documents.read, report.embedding.inputs) == (1, 1)
    assert world.text("wiki/Oil-the-wheel.md") == "Use linseed oil."
    world.github.move_page(world.api, "Oil-the-wheel.md", "Grease-the-wheel.md")
    report = world.sync(RECONCILE)
    assert (report.documents.new, report.documents.deleted) == (1, 1)
    assert {one for one in world.indexed if one.startswith("wiki/")} == {"wiki/Home.md", "wiki/Grease-the-wheel.md"}
    world.github.delete_page(world.api, "Home.md")
    assert world.sync().documents.deleted == 1
    world.api.has_wiki = False
    assert world.sync().documents.deleted == 1
    assert not any(one.startswith("wiki/") for one in world.indexed)


@pytest.mark.one_case
@pytest.mark.parametrize("options", [SyncOptions(), SyncOptions(mode="full"), RECONCILE], ids=lambda one: one.mode)
def test_pages_stay_while_nobody_finds_their_wiki(world: World, options: SyncOptions) -> None:
    """GitHub says so of one that the token may not read."""
    world.github.write_page(world.api, "Home.md", "# Mills\n\nAll about mills.")
    world.sync()
    points = world.points
    world.github.refuse("wiki", "missing")
    report = world.sync(options)
    assert (report.errors, report.documents.deleted, world.points) == ({}, 0, points)


def test_a_file_that_moves_is_under_its_new_name_alone(world: World) -> None:
    world.sync()
    world.github.move_file(world.api, "docs/wheel.md", "attic/old-wheel.md")
    report = world.sync()
    assert (report.documents.new, report.documents.deleted, report.embedding.inputs) == (1, 1, 1)
    assert "blob/docs/wheel.md" not in world.indexed
    assert "blob/attic/old-wheel.md" in world.indexed


@pytest.mark.one_case
@pytest.mark.parametrize("taken_over", [False, True])
def test_a_renamed_repository_is_the_same_unit_and_costs_no_embedding(world: World, taken_over: bool) -> None:
    world.sync()
    before, points, sent = world.indexed, set(world.points), world.embedder.requests
    world.github.rename(world.api, "mills/water")
    if taken_over:
        world.github.repository("acme/api", private=True, collaborators=["bob"])
    for options in (SyncOptions(), RECONCILE):
        report = world.sync(options)
        assert (report.errors, report.documents.new, report.documents.deleted, report.documents.failed) == ({}, 0, 0, 0)
        assert report.embedding.inputs == 0
    assert (world.indexed, set(world.points), world.embedder.requests) == (before, points, sent)
    assert {payload["breadcrumb"][0] for payload in world.points.values()} == {"mills/water"}
    assert {payload["url"].split("/")[3] for payload in world.points.values()} == {"mills"}


def test_who_takes_over_a_name_gets_no_rights_with_it(world: World) -> None:
    world.sync()
    world.github.rename(world.api, "acme/attic")
    new = world.github.repository("acme/api", private=True, collaborators=["mallory"])
    world.github.emails["mallory"] = "mallory@acme.test"
    world.github.issue(new, "Hello", "Nothing here.")
    for options in (SyncOptions(), RECONCILE):
        assert world.sync(options).errors == {}
    groups = world.services.catalog.memberships.groups_of
    assert groups("mallory@acme.test") == {f"group:acme:{new.id}"}
    assert groups("ada@acme.test") == {f"group:acme:{world.unit}"}
    theirs = {one["document_id"] for one in world.points.values() if one["readers"] == [f"group:acme:{new.id}"]}
    assert theirs == {f"github:acme/{new.id}/issues/1"}
    assert len(world.indexed) == 17 + 1


@pytest.mark.one_case
@pytest.mark.parametrize(
    "old",
    [
        pytest.param("github:acme/acme/api/issues/3", marks=pytest.mark.slow),
        pytest.param("https://github.test/acme/api/issues/3", marks=pytest.mark.slow),
        "https://github.test/acme/api/issues/3#issuecomment-1",
        "https://github.test/acme/api/blob/main/docs/wheel.md",
    ],
)
def test_an_address_from_before_a_renaming_is_explained(world: World, old: str) -> None:
    world.sync()
    world.github.rename(world.api, "mills/water")
    world.sync()
    name = "blob/docs/wheel.md" if "blob" in old else "issues/3"
    found = explain(world.services, old)
    assert (found.id, found.status, found.unit_context.name) == (f"{world.root}/{name}", "indexed", "mills/water")
    assert found.url.startswith("https://github.test/mills/water/")


class KnownByName:
    """The connection as release 0.1 read it: units, documents and their parents had the repository's name for an id."""

    def __init__(self, world: World) -> None:
        self._inner = connect(world.connection)
        self._unit = next(iter(self._inner.units()))
        self.requests = 0

    def units(self) -> Iterator[Unit]:
        yield replace(self._unit, id=self._unit.name)

    def read(self, unit: Unit, cursor: Any, window: Any) -> Iterator[Item]:
        for item in self._inner.read(self._unit, cursor, window):
            if isinstance(item, Document):
                parents = tuple(replace(one, id=self._by_name(one.id)) for one in item.parents)
                yield replace(item, id=self._by_name(item.id), unit=unit.id, parents=parents)
            elif isinstance(item, Skipped):
                yield replace(item, document_id=self._by_name(item.document_id))
            else:
                yield item
        self._inner.close()

    def _by_name(self, own: str) -> str:
        return own.replace(f"/{self._unit.id}", f"/{self._unit.name}", 1)


@pytest.mark.slow
def test_units_that_had_their_name_for_an_id_are_read_again_without_embedding(world: World) -> None:
    """They are gone for the catalog, and those by the id take their place."""
    earlier: Any = KnownByName(world)
    (unit,) = sync_units(world.services, world.connection, earlier).chosen
    assert sync_unit(world.services, world.connection, earlier, unit).errors == {}
    assert {one["unit"] for one in world.points.values()} == {"acme/api"}
    sent = world.embedder.requests
    report = world.sync()
    assert f"acme/{world.unit}" not in report.errors
    assert (report.documents.new, report.documents.deleted, report.embedding.inputs) == (17, 17 + 1, 0)
    assert report.embedding.cached == report.chunks.total
    states = {state.unit.id: state.gone for state in world.services.catalog.units.all("acme")}
    assert (states, world.embedder.requests) == ({"acme/api": True, world.unit: False}, sent)
    assert explain(world.services, "github:acme/acme/api/issues/3").id == f"{world.root}/issues/3"
    assert explain(world.services, "https://github.test/acme/api/issues/3").id == f"{world.root}/issues/3"
    report = world.sync(SyncOptions(mode="reconcile", allow_mass_delete=True))
    assert (report.errors, report.documents.deleted, len(world.indexed)) == ({}, 0, 17)
    assert {one["unit"] for one in world.points.values()} == {world.unit}


def test_a_deleted_repository_leaves_the_index_on_somebodys_word(world: World) -> None:
    world.sync()
    world.github.delete_repository(world.api)
    assert f"acme/{world.unit}" in world.sync(RECONCILE).errors
    assert len(world.indexed) == 17
    world.sync(SyncOptions(mode="reconcile", allow_mass_delete=True))
    assert world.indexed == set()


@pytest.mark.slow
def test_an_archived_repository_stays(world: World) -> None:
    world.sync()
    world.api.archived = True
    assert world.sync(RECONCILE).documents.deleted == 0


@pytest.mark.one_case
@pytest.mark.parametrize("by_event", [False, True])
def test_a_transferred_issue_is_found_where_it_went(world: World, by_event: bool) -> None:
    web = world.github.repository("acme/web")
    world.github.issue(web, "First", "Here before.")
    world.sync()
    moved = world.github.transfer_issue(world.api, 3, web)
    if by_event:
        changes = {"new_issue": {"number": moved}, "new_repository": web.described()}
        world.event(world.github.issue_webhook("transferred", world.api, 3, changes=changes))
    else:
        world.sync(RECONCILE)
    assert "issues/3" not in world.indexed
    assert "mill 2 is stuck" in world.text(f"issues/{moved}", str(web.id))


@pytest.mark.one_case
@pytest.mark.parametrize("include", ["*", "acme/api"], ids=["listed", "named"])
def test_a_repository_that_is_blocked_is_hidden_at_once_and_goes_on_somebodys_word(world: World, include: str) -> None:
    """And comes back whole where the block is lifted."""
    world.connection = world.connection.model_copy(update={"include": (include,)})
    world.sync()
    world.github.block(world.api, "dmca")
    for options in (SyncOptions(), SyncOptions(), RECONCILE):
        (error,) = world.sync(options).errors.values()
        assert "blocked at the source (dmca, https://github.test/blocks/acme/api): nobody can read it" in error
        assert {tuple(payload["readers"]) for payload in world.points.values()} == {()}
    world.sync(SyncOptions(mode="reconcile", allow_mass_delete=True))
    assert world.indexed == set()
    world.api.block.clear()
    assert (world.sync().errors, len(world.indexed)) == ({}, 17)


def test_a_block_that_is_lifted_shows_again_what_was_hidden(world: World) -> None:
    world.sync()
    before, sent = world.points, world.embedder.requests
    world.github.block(world.api, "tos")
    world.sync()
    world.api.block.clear()
    assert (world.sync().errors, world.points, world.embedder.requests) == ({}, before, sent)


def test_readers_follow_the_repository_without_embedding(world: World) -> None:
    world.sync()
    sent = world.embedder.requests
    assert world.services.catalog.memberships.groups_of("bob@acme.test") == {f"group:acme:{world.unit}"}
    world.api.collaborators.remove("bob")
    world.sync()
    assert world.services.catalog.memberships.groups_of("bob@acme.test") == set()
    world.api.private = False
    world.sync()
    assert {tuple(payload["readers"]) for payload in world.points.values()} == {("public",)}
    assert world.embedder.requests == sent


@pytest.mark.one_case
@pytest.mark.parametrize(
    ("only", "fault"),
    [
        ("repos/acme/api/issues", rate_limited(**{"retry-after": "0"})),
        pytest.param("git/blobs", rate_limited(), marks=pytest.mark.slow),
        pytest.param("repos/acme/api/issues/3/comments", secondary_limit(7), marks=pytest.mark.slow),
        ("graphql", broken_gateway),
        pytest.param("git/trees", cut_short, marks=pytest.mark.slow),
    ],
)
def test_trouble_that_passes_costs_nothing_but_time(world: World, only: str, fault: Fault) -> None:
    world.github.fail(2, fault, only=only)
    report = world.sync()
    assert (report.errors, report.documents.failed, report.documents.new) == ({}, 0, 17)


def test_trouble_that_stays_fails_one_object_and_is_made_up_for(world: World) -> None:
    world.github.fail(3, broken_gateway, only="issues/3/comments")
    report = world.sync()
    assert (report.errors, report.documents.failed, report.documents.new) == ({}, 1, 16)
    reasons = {trouble["id"]: trouble["reason"] for trouble in world.services.catalog.documents.troubled()}
    assert "HTTP 502" in reasons[f"{world.root}/issues/3"]
    world.event(world.github.issue_webhook("edited", world.api, 3))
    assert "issues/3" in world.indexed


def test_a_limit_longer_than_anybody_waits_stops_the_unit_which_then_goes_on(world: World) -> None:
    world.github.fail(1, secondary_limit(3_600), only="issues/7/comments")
    report = world.sync()
    assert "rate limit" in report.errors[f"acme/{world.unit}"]
    assert report.documents.new == 6


def test_a_killed_sync_goes_on_where_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = World(world.github, world.api, world.services, world.connection, world.embedder)

    def killed() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pipelines.ingestion.load_writer.ITEMS_PER_LOAD", 1)
        with closing(connect(world.connection)) as connector:
            read = connector.read

            def read_until_killed(*arguments: Any, **named: Any) -> Iterator[Any]:
                for count, item in enumerate(read(*arguments, **named)):
                    if count == 15:
                        killed()
                    yield item

            patched.setattr(
                "connectors.github.source.GitHubConnector.read", lambda self, *a, **n: read_until_killed(*a, **n)
            )
            with pytest.raises(KeyboardInterrupt):
                world.sync()
    report = whole.sync()
    assert report.errors == {}
    asked = world.github.asked()
    assert asked["repos/acme/api/issues/1/comments"] == 0
    assert asked["repos/acme/api/issues/12/comments"] == 1
    assert len(world.indexed) == 17


EVENTS: list[tuple[Change, Callable[[World], Any], str, str]] = [
    (
        lambda w: w.github.edit_issue(w.api, 3, labels=[{"name": "urgent"}]),
        lambda w: w.github.issue_webhook("labeled", w.api, 3),
        "issues/3",
        "Labels: urgent",
    ),
    (
        lambda w: w.github.delete_issue(w.api, 3),
        lambda w: w.github.issue_webhook("deleted", w.api, 3),
        "issues/3",
        "",
    ),
    (
        lambda w: w.github.review(w.api, 13, "APPROVED", "Ship it."),
        lambda w: w.github.webhook("pull_request_review", w.api, action="submitted", pull_request={"number": 13}),
        "pull/13",
        "Ship it.",
    ),
    (
        lambda w: w.github.discuss(w.api, 14, "Four buckets."),
        lambda w: w.github.webhook("discussion_comment", w.api, action="created", discussion={"number": 14}),
        "discussions/14",
        "Four buckets.",
    ),
    (
        lambda w: w.github.write(w.api, "README.md", "Rewritten."),
        lambda w: w.github.push_webhook(w.api),
        "blob/README.md",
        "Rewritten.",
    ),
]


def test_an_event_brings_its_change(world: World) -> None:
    world.sync()
    for change, delivery, document, expected in EVENTS:
        change(world)
        assert world.event(delivery(world)).errors == {}
        assert expected in world.text(document)
        assert bool(expected) == (document in world.indexed)


def test_an_unknown_event_is_named_and_does_nothing(world: World) -> None:
    event = receive(world.connection, *world.github.webhook("from_the_future", world.api), now=0.0)
    assert (event.invalidations, event.ignored) == ((), "the event 'from_the_future' is not known")


def test_a_server_without_graphql_has_no_discussions(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.github.graphql = False
    world.github.repository("acme/web")
    report = world.sync()
    assert (report.errors, report.documents.new) == ({}, 16)
    assert [record for record in caplog.messages if "no GraphQL" in record] != []
    assert world.github.asked()["graphql"] == 1
    assert world.github.asked()["users/ada"] == 1


def test_a_refused_query_stops_discussions_alone(world: World) -> None:
    refusal = {"data": None, "errors": [{"type": "FORBIDDEN", "message": "Resource not accessible by integration"}]}
    world.github.fail(2, lambda: JSONResponse(refusal), only="graphql")  # first the people's addresses, then this
    report = world.sync()
    assert (report.errors, report.documents.new) == ({}, 16)
    assert "not accessible" in report.refused[f"acme/{world.unit}"]["discussions"]
    assert (world.sync().documents.new, world.text("discussions/14").count("buckets")) == (1, 1)


def test_the_cursor_is_plain_json(world: World) -> None:
    world.sync()
    state = world.services.catalog.units.get("acme", world.unit)
    assert state
    assert json.loads(json.dumps(state.cursor)) == state.cursor
