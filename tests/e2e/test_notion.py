"""Notion from its API over HTTP to the embedded index: what changes there changes here, and costs no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.responses import Response

from connectors.notion.settings import NotionConnection
from connectors.registry import connect, receive
from pipelines.events.processor import EventProcessor
from pipelines.ingestion.observer import Observer
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import sync_connection
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.notion import (
    OLDER,
    TOKEN,
    VERIFICATION_TOKEN,
    Notion,
    block,
    broken_gateway,
    cut_short,
    file_block,
    rate_limited,
    refusal,
    serving,
    text,
)

FULL = SyncOptions(mode="full")
RECONCILE = SyncOptions(mode="reconcile")
NO_CHANGE = 2
"""Requests: one page of search for all units, the people for the memberships."""


@dataclass
class World:
    notion: Notion
    services: Services
    connection: NotionConnection
    embedder: FakeEmbedder
    ids: dict[str, str]

    def sync(self, options: SyncOptions = SyncOptions()) -> SyncReport:  # noqa: B008
        self.notion.log.clear()
        return sync_connection(self.services, self.connection, (), options)

    def event(self, kind: str, name: str, **data: Any) -> SyncReport:
        """What the worker does with a signed delivery."""
        headers, body = self.notion.delivery(kind, self.ids.get(name, name), **data)
        self.notion.log.clear()
        with closing(connect(self.connection)) as connector:
            processor = EventProcessor(self.services, self.connection, connector, Observer())
            processed = processor.process(receive(self.connection, headers, body, now=0.0).invalidations)
        assert processed.errors == {}
        return processed.report

    @property
    def points(self) -> dict[str, dict[str, Any]]:
        with self.services.store() as store:
            return dict(store.scan())

    @property
    def titles(self) -> set[str]:
        """Titles of the documents that can be found."""
        return {str(payload["title"]) for payload in self.points.values()}

    def found(self, title: str) -> list[dict[str, Any]]:
        points = [payload for payload in self.points.values() if payload["title"] == title]
        return sorted(points, key=lambda payload: int(payload["position"]))

    def text(self, title: str) -> str:
        return "\n".join(str(payload["text"]) for payload in self.found(title))

    def is_seen(self, name: str) -> bool:
        """Whether anybody may see a document that is indexed."""
        key = f"notion:acme/{self.ids[name]}"
        state = self.services.catalog.documents.states([key])[key]
        return state.status == "indexed" and not state.hidden

    def stands_in(self, title: str) -> list[str]:
        """Titles of what a document stands in; the same in all its chunks."""
        (shown,) = {tuple(payload["breadcrumb"]) for payload in self.found(title)}
        return list(shown)


@pytest.fixture
def notion() -> Notion:
    return Notion()


@pytest.fixture
def ids(notion: Notion) -> dict[str, str]:
    """handbook > pumps (with files) > oil, gears; handbook > log (database) > entry 0 to 3; news."""
    notion.person("Ada")
    notion.person("Bob")
    ids = {"handbook": notion.page("Handbook", block("paragraph", "How the mill is run."))}
    offer = file_block("file", notion.upload("offer.txt", b"Twelve brass valves at a fair price."))
    photo = file_block("image", notion.upload("pump.png", b"\x89PNG"))
    ids["pumps"] = notion.page("Pumps", block("paragraph", "Three pumps."), offer, photo, under=ids["handbook"])
    ids["oil"] = notion.page("Oil", block("paragraph", "Linseed, once a week."), under=ids["pumps"])
    ids["gears"] = notion.page("Gears", block("paragraph", "Of oak and iron."), under=ids["pumps"])
    ids["log"] = notion.database("Log", under=ids["handbook"], says="What happened at the mill")
    plan = {"id": "F", "type": "files", "files": [notion.upload("plan.csv", b"part,count\nwheel,1\n")]}
    for number in range(4):
        properties = {
            "Hours": {"id": "h", "type": "number", "number": number},
            **({"Plan": plan} if not number else {}),
        }
        body = block("paragraph", f"On day {number} the wheel turned.")
        under = notion.source_of(ids["log"])
        ids[f"entry {number}"] = notion.page(f"Entry {number}", body, under=under, properties=properties)
    ids["news"] = notion.page("News", block("paragraph", "The mill opens."))
    notion.remark(ids["news"], "When exactly?", by=notion.users[1]["id"])
    notion.wait(hours=3)
    return ids


@pytest.fixture
def world(settings: Settings, notion: Notion, ids: dict[str, str]) -> Iterator[World]:
    with serving(notion) as url:
        connection = NotionConnection.model_validate(
            {
                "id": "acme",
                "source": "notion",
                "token": TOKEN,
                "base_url": url,
                "readers": ["workspace"],
                "webhook_secret": VERIFICATION_TOKEN,
            }
        )
        embedder = FakeEmbedder()
        with Services(settings.model_copy(update={"connections": (connection,)}), embedder) as services:
            yield World(notion, services, connection, embedder, ids)
    assert notion.strayed == []


ALL = {"Handbook", "Pumps", "Oil", "Gears", "Log", "News", *(f"Entry {number}" for number in range(4))}
FILES = {"offer.txt", "plan.csv"}


def synced(original: str | None, *inside: dict[str, Any]) -> dict[str, Any]:
    source = {"type": "block_id", "block_id": original} if original else None
    return {"type": "synced_block", "synced_block": {"synced_from": source}, "children": list(inside)}


@pytest.mark.one_case
@pytest.mark.parametrize("told", [False, True], ids=["sync", "event"])
def test_what_shows_a_synced_block_follows_its_original_in_another_unit(world: World, told: bool) -> None:
    notion = world.notion
    world.ids["policy"] = notion.page("Policy", synced(None, block("paragraph", "Capped at amethyst level.")))
    (original,) = notion.children[world.ids["policy"]]
    notion.page("Team", block("paragraph", "Team rules."), synced(original))
    notion.wait(hours=3)
    world.sync()
    assert "amethyst" in world.text("Team")
    notion.wait(hours=3)
    notion.write(original, block("paragraph", "Capped at beryl level."))
    report = world.event("page.content_updated", "policy") if told else world.sync()
    assert report.documents.changed == 2
    for title in ("Policy", "Team"):
        assert "beryl" in world.text(title)
        assert "amethyst" not in world.text(title)
    notion.wait(hours=3)
    assert world.sync().documents.changed == 0


def test_a_title_alone_is_found(world: World) -> None:
    world.notion.page("The spare key is under stone seven")
    register = world.notion.database("Supplier register")
    world.notion.page("Hippogriff GmbH", under=world.notion.source_of(register))
    world.notion.wait(hours=3)
    world.sync()
    assert world.text("The spare key is under stone seven") == "The spare key is under stone seven"
    assert world.text("Hippogriff GmbH") == "Hippogriff GmbH"
    assert world.text("Supplier register") == "Properties: Name, Status"


def test_first_sync_and_no_change(world: World) -> None:
    first = world.sync()
    assert (first.errors, first.documents.skipped, first.documents.failed) == ({}, 1, 0)
    assert world.titles == ALL | FILES
    assert world.stands_in("Oil") == ["Handbook", "Pumps"]
    assert world.stands_in("offer.txt") == ["Handbook", "Pumps"]
    assert "Hours: 2" in world.text("Entry 2")
    assert "Bob (2026-03-01): When exactly?" in world.text("News")
    assert {tuple(payload["readers"]) for payload in world.points.values()} == {("group:acme:workspace",)}
    again = world.sync()
    assert len(world.notion.log) == NO_CHANGE
    assert (again.embedding.inputs, again.documents.read, again.errors) == (0, 0, {})


def test_an_edit_and_a_new_page(world: World) -> None:
    world.sync()
    world.notion.write(world.ids["oil"], block("paragraph", "Linseed, twice a week."))
    world.ids["tallow"] = world.notion.page("Tallow", block("paragraph", "For the axle."), under=world.ids["oil"])
    report = world.sync()
    assert (report.documents.changed, report.documents.new) == (1, 1)
    assert "twice a week" in world.text("Oil")
    assert world.stands_in("Tallow") == ["Handbook", "Pumps", "Oil"]
    assert report.embedding.inputs == 2


def test_files_are_loaded_again_only_when_they_are_others(world: World) -> None:
    world.sync()
    assert world.notion.asked()["file"] == 2  # what is no text is not loaded
    pumps = world.ids["pumps"]
    world.notion.rename(pumps, "Pumps")
    world.sync()
    assert world.notion.asked()["file"] == 0
    world.notion.write(pumps, file_block("pdf", world.notion.upload("new.md", b"# Valves\n\nOf brass.")))
    report = world.sync()
    assert world.notion.asked()["file"] == 1
    assert report.documents.deleted == 2
    assert {"new.md"} == world.titles - ALL - {"plan.csv"}


@pytest.mark.one_case
@pytest.mark.parametrize(
    "answer",
    [
        Response("<!DOCTYPE html><title>Sign in</title>Words of a gateway.", media_type="text/html"),
        Response('{"error": "Words of a gateway."}', media_type="application/json"),
        Response("Twelve brass", 206, {"content-range": "bytes 0-11/36"}, "text/plain"),
    ],
)
def test_what_comes_in_place_of_files_is_never_found(world: World, answer: Response) -> None:
    """The files of a page that has another name are loaded again, the unchanged one beside the new one as well."""
    world.sync()
    notion, pumps = world.notion, world.ids["pumps"]
    held = [notion.blocks[one] for one in notion.children[pumps]]
    notion.put(pumps, file_block("file", notion.upload("new.md", b"Of brass.")) | {"id": "new"}, *held)
    notion.rename(pumps, "Machines")
    notion.answers["files"] = lambda: answer
    assert world.sync().documents.failed == 2
    assert world.text("offer.txt") == "Twelve brass valves at a fair price."
    assert "new.md" not in world.titles
    assert not any("gateway" in payload["text"] for payload in world.points.values())
    del notion.answers["files"]
    assert world.sync().documents.failed == 0
    assert (world.text("offer.txt"), world.text("new.md")) == ("Twelve brass valves at a fair price.", "Of brass.")
    assert world.stands_in("offer.txt") == ["Handbook", "Machines"]


def test_a_renamed_page_is_shown_by_all_below(world: World) -> None:
    world.sync()
    world.notion.rename(world.ids["pumps"], "Machines")
    report = world.sync()
    assert (report.documents.changed, report.documents.new) == (4, 0)
    assert report.embedding.inputs == 0
    assert world.stands_in("Oil") == ["Handbook", "Machines"]
    assert world.stands_in("offer.txt") == ["Handbook", "Machines"]
    assert world.titles == (ALL | FILES) - {"Pumps"} | {"Machines"}
    assert world.notion.asked()["search"] == 1
    world.notion.wait(hours=3)
    world.sync()
    assert world.sync().documents.read == 0


def test_a_moved_page_takes_all_below_along(world: World) -> None:
    world.sync()
    world.notion.move(world.ids["pumps"], world.ids["news"])
    report = world.sync()
    assert world.titles == ALL | FILES
    assert world.stands_in("Oil") == ["News", "Pumps"]
    assert world.found("Oil")[0]["unit"] == world.ids["news"]
    assert (report.errors, report.documents.deleted, report.documents.new) == ({}, 0, 0)


@pytest.mark.each_value
@pytest.mark.parametrize("away", ["news", ""], ids=["into another unit", "a unit of its own"])
@pytest.mark.parametrize("told", [False, True], ids=["sync", "event"])
@pytest.mark.parametrize("synced", [False, True], ids=["and back at once", "and back after a sync"])
def test_a_page_that_moves_away_and_back_has_all_below_with_it(
    world: World, away: str, told: bool, synced: bool
) -> None:
    world.sync()
    for place in (world.ids.get(away, ""), world.ids["handbook"]):
        world.notion.wait(hours=3)
        world.notion.move(world.ids["pumps"], place)
        if told:
            world.event("page.moved", "pumps")
        if synced or place:
            world.sync()  # which tells of a unit of its own that is no more
    assert world.sync().errors == {}
    assert world.titles == ALL | FILES
    for title in ("Oil", "offer.txt"):
        assert world.stands_in(title) == ["Handbook", "Pumps"]
        assert world.found(title)[0]["unit"] == world.ids["handbook"]
    states = world.services.catalog.documents.states(one["document_id"] for one in world.points.values())
    assert {state.hidden for state in states.values()} == {None}


@pytest.mark.slow
def test_a_move_that_no_time_tells_is_found_by_a_reconcile(world: World) -> None:
    world.sync()
    world.notion.move(world.ids["oil"], world.ids["gears"], silently=True)
    world.notion.wait(hours=3)
    report = world.sync(RECONCILE)
    assert report.errors == {}
    assert world.stands_in("Oil") == ["Handbook", "Pumps", "Gears"]


@pytest.mark.each_value
@pytest.mark.parametrize("first", ["handbook", "news"])
@pytest.mark.parametrize("silently", [False, True], ids=["edited", "untold"])
def test_what_moved_is_found_whichever_of_its_units_is_looked_at_first(
    world: World, first: str, silently: bool
) -> None:
    """Nobody sees it until its new unit is read, and nothing is paid twice."""
    world.sync()
    world.notion.move(world.ids["oil"], world.ids["news"], silently=silently)
    world.notion.wait(hours=3)
    for name in sorted(("handbook", "news"), key=lambda one: one != first):
        report = sync_connection(world.services, world.connection, [world.ids[name]], RECONCILE)
        assert report.errors == {}
        assert world.is_seen("oil") == ("news" in (name, first))
    assert world.stands_in("Oil") == ["News"]
    assert sum(times for text, times in world.embedder.embedded.items() if text.startswith("Oil\n")) == 1


@pytest.mark.slow
def test_many_that_moved_are_kept_unseen_until_their_new_unit_is_read(world: World) -> None:
    world.sync()
    world.notion.move(world.ids["pumps"], world.ids["news"], silently=True)
    world.notion.wait(hours=3)
    report = sync_connection(world.services, world.connection, [world.ids["handbook"]], RECONCILE)
    assert report.errors == {}, "nobody is asked, although they are more than a tenth of the unit"
    assert not world.is_seen("oil")
    for name in ("news", "handbook"):
        assert sync_connection(world.services, world.connection, [world.ids[name]], RECONCILE).errors == {}
    assert world.titles == ALL | FILES
    assert world.stands_in("Oil") == ["News", "Pumps"]


def test_a_reconcile_with_nothing_to_do_reads_no_content(world: World) -> None:
    world.sync()
    world.notion.wait(hours=3)
    report = world.sync(RECONCILE)
    assert (report.errors, report.documents.read) == ({}, 0)
    assert {path.partition("/")[0] for path in world.notion.log} == {"search", "users", "databases"}


def test_a_reconcile_removes_what_is_gone_with_its_files(world: World) -> None:
    world.sync()
    world.notion.trash(world.ids["entry 0"])
    world.notion.wait(hours=3)
    report = world.sync(SyncOptions(mode="reconcile", allow_mass_delete=True))
    assert report.documents.deleted == 2
    assert world.titles == (ALL | FILES) - {"Entry 0", "plan.csv"}


def test_a_whole_unit_out_of_reach(world: World) -> None:
    world.sync()
    world.notion.sealed.add(world.ids["news"])
    report = world.sync(SyncOptions(mode="reconcile", allow_mass_delete=True))
    assert report.documents.deleted == 1
    assert world.titles == (ALL | FILES) - {"News"}


def test_other_readers_take_effect_without_embedding(world: World) -> None:
    world.sync()
    narrowed = world.connection.model_copy(update={"readers": ("ada@acme.test",)})
    world.connection = narrowed
    report = world.sync()
    assert {tuple(payload["readers"]) for payload in world.points.values()} == {("user:ada@acme.test",)}
    assert report.embedding.inputs == 0


@pytest.mark.one_case
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(rate_limited(**{"retry-after": "2"}), id="429 with a time"),
        pytest.param(rate_limited(), id="429", marks=pytest.mark.slow),
        pytest.param(broken_gateway, id="502 as HTML"),
        pytest.param(cut_short, id="truncated JSON", marks=pytest.mark.slow),
    ],
)
def test_passing_trouble_is_waited_out(world: World, fault: Callable[[], Response]) -> None:
    for only in ("search", "blocks", "comments", "users"):
        world.notion.fail(1, fault, only=only)
    report = world.sync()
    assert report.errors == {}
    assert report.documents.failed == 0
    assert world.titles == ALL | FILES


def test_one_page_in_trouble_is_read_later(world: World) -> None:
    world.notion.fail(3, broken_gateway, only=f"blocks/{world.ids['oil']}")
    report = world.sync()
    assert (report.documents.failed, report.errors) == (1, {})
    assert world.titles == (ALL | FILES) - {"Oil"}


def test_without_the_capabilities_the_rest_is_read(world: World) -> None:
    world.notion.capabilities -= {"read_comments"}
    report = world.sync()
    assert report.errors == {}
    assert world.notion.asked()["comments"] == 1
    assert world.titles == ALL | FILES
    assert "exactly" not in world.text("News")


def test_a_server_of_the_older_version(world: World) -> None:
    world.notion.versions = (OLDER,)
    report = world.sync()
    assert report.errors == {}
    assert world.titles == ALL | FILES
    assert world.stands_in("Entry 1") == ["Handbook", "Log"]


@pytest.mark.slow
def test_a_database_with_several_sources(world: World) -> None:
    own = world.notion.database("Plans", says="What is to come", sources=("Near", "Far"))
    far = world.notion.objects[own]["data_sources"][1]["id"]
    world.notion.page("A second wheel", block("paragraph", "Upstream."), under=far)
    world.sync()
    assert "Near" in world.text("Plans")
    assert "Far" in world.text("Plans")
    assert "A second wheel" in world.titles


@pytest.mark.slow
def test_a_block_that_nobody_knows_and_one_that_notion_hides(world: World) -> None:
    hologram = {"type": "hologram", "hologram": {"rich_text": text("A wheel of light.")}}
    hidden = {"type": "unsupported", "unsupported": {"block_type": "form"}}
    world.notion.page("Odd", hologram, hidden)
    world.sync()
    assert "A wheel of light." in world.text("Odd")
    assert world.found("Odd")[0]["tags"] == ["unsupported:form"]


def test_what_search_shows_late_is_found(world: World) -> None:
    world.sync()
    late = world.notion.page("Late", block("paragraph", "Search lags behind."))
    world.notion.late.add(late)
    world.notion.page("Soon", block("paragraph", "Not this one."))
    world.sync()
    world.notion.late.clear()
    world.sync()
    assert {"Late", "Soon"} <= world.titles


def test_a_killed_sync_goes_on_where_it_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    news = world.ids["news"]
    pages = [world.notion.page(f"Page {at}", block("paragraph", f"Words {at}."), under=news) for at in range(45)]
    stumbles_at = pages[30]
    world.notion.wait(hours=3)
    monkeypatch.setattr("connectors.notion.reader.OBJECTS_PER_CHECKPOINT", 5)
    monkeypatch.setattr("pipelines.ingestion.load_writer.ITEMS_PER_LOAD", 5)
    world.notion.fail(1, lambda: refusal(401, "unauthorized"), only=f"blocks/{stumbles_at}")
    stopped = world.sync()
    assert list(stopped.errors) == [f"acme/{world.ids['news']}"]
    assert 30 <= world.services.catalog.documents.count_live("acme", news) < 46
    rest = world.sync()
    assert rest.errors == {}
    assert {f"Page {number}" for number in range(45)} <= world.titles
    assert world.notion.asked()["blocks/*/children"] <= 46 - 30 + 5


# ---- from a webhook to the index


def test_event_of_an_edit(world: World) -> None:
    world.sync()
    world.notion.write(world.ids["oil"], block("paragraph", "Tallow now."))
    report = world.event("page.content_updated", "oil", updated_blocks=[])
    assert report.documents.changed == 1
    assert "Tallow now." in world.text("Oil")


def test_event_of_a_new_page_that_search_does_not_show_yet(world: World) -> None:
    world.sync()
    world.ids["tallow"] = world.notion.page("Tallow", block("paragraph", "For the axle."), under=world.ids["oil"])
    world.notion.late.add(world.ids["tallow"])
    world.event("page.created", "tallow")
    assert world.stands_in("Tallow") == ["Handbook", "Pumps", "Oil"]


@pytest.mark.slow
def test_event_of_a_new_page_at_the_top(world: World) -> None:
    world.sync()
    world.ids["rules"] = world.notion.page("Rules", block("paragraph", "No smoking."))
    world.event("page.created", "rules")
    assert "Rules" in world.titles


@pytest.mark.slow
def test_event_of_a_new_page_at_the_top_that_search_does_not_show_yet(world: World) -> None:
    world.sync()
    world.ids["rules"] = world.notion.page("Rules", block("paragraph", "No smoking."))
    world.notion.late.add(world.ids["rules"])
    world.event("page.created", "rules")
    assert "Rules" in world.titles


@pytest.mark.slow
def test_event_of_a_rename_reaches_what_stands_below(world: World) -> None:
    world.sync()
    world.notion.rename(world.ids["pumps"], "Machines")
    report = world.event("page.properties_updated", "pumps", updated_properties=["title"])
    assert report.documents.changed == 4  # the page, two below it, and a file
    assert report.embedding.inputs == 0
    assert world.stands_in("Gears") == ["Handbook", "Machines"]


def test_event_of_a_move_to_another_unit(world: World) -> None:
    world.sync()
    world.notion.move(world.ids["pumps"], world.ids["news"])
    world.event("page.moved", "pumps")
    assert world.titles == ALL | FILES
    assert world.stands_in("Oil") == ["News", "Pumps"]
    assert world.stands_in("offer.txt") == ["News", "Pumps"]


def test_events_of_the_trash_and_back(world: World) -> None:
    world.sync()
    world.notion.trash(world.ids["pumps"])
    report = world.event("page.deleted", "pumps")
    assert world.titles == (ALL | FILES) - {"Pumps", "Oil", "Gears", "offer.txt"}
    assert report.documents.deleted == 5
    world.notion.trash(world.ids["pumps"], restore=True)
    world.event("page.undeleted", "pumps")
    assert world.titles == ALL | FILES


@pytest.mark.slow
def test_event_of_a_database_in_the_trash(world: World) -> None:
    world.sync()
    world.notion.trash(world.ids["log"])
    world.event("database.deleted", "log")
    assert world.titles == (ALL | FILES) - {"Log", "Entry 0", "Entry 1", "Entry 2", "Entry 3", "plan.csv"}


@pytest.mark.one_case
@pytest.mark.parametrize("parent", ["log", "handbook"])
def test_event_of_a_schema(world: World, parent: str) -> None:
    """Notion's examples name a page as the parent of a data source, its reference the database."""
    world.sync()
    world.notion.rename(world.ids["log"], "Diary")
    source = world.notion.source_of(world.ids["log"])
    told = {"id": world.ids[parent], "type": "database" if parent == "log" else "page"}
    report = world.event("data_source.schema_updated", source, parent=told)
    assert report.documents.changed == 6  # the database, its rows, the file of one
    assert world.stands_in("Entry 3") == ["Handbook", "Diary"]


def test_event_of_a_comment(world: World) -> None:
    world.sync()
    world.notion.remark(world.ids["news"], "On Monday.")
    world.event("comment.created", "made up", page_id=world.ids["news"])
    assert "On Monday." in world.text("News")


def readers_by_title(world: World) -> dict[str, set[str]]:
    return {str(payload["title"]): set(payload["readers"]) for payload in world.points.values()}


def test_other_readers_in_the_settings_count_without_a_page_being_read(world: World) -> None:
    world.sync()
    sent = world.embedder.requests
    world.connection = world.connection.model_copy(update={"readers": ("ada@acme.test",)})
    report = world.sync()
    assert report.errors == {}
    assert all(readers == {"user:ada@acme.test"} for readers in readers_by_title(world).values())
    assert not any("blocks" in request for request in map(str, world.notion.log))
    assert world.embedder.requests == sent


@pytest.mark.slow
def test_readers_of_a_page_reach_all_below_it_with_the_next_sync(world: World) -> None:
    world.sync()
    embedded = set(world.embedder.embedded)
    everybody, ada = {"group:acme:workspace"}, {"user:ada@acme.test"}
    narrowed = {"Pumps", "offer.txt", "Oil", "Gears"}
    by_page = {world.ids["pumps"]: ("ada@acme.test",)}
    mapped = world.connection.model_copy(update={"readers_by_page": by_page})
    for connection in (mapped, world.connection, mapped):
        world.connection, expected = connection, ada if connection.readers_by_page else everybody
        assert world.sync().errors == {}
        found = readers_by_title(world)
        assert all(readers == (expected if title in narrowed else everybody) for title, readers in found.items())
    # The default is another: a page of the map keeps its own, even where both were the same.
    world.connection = mapped.model_copy(update={"readers": ("ada@acme.test",)})
    world.sync()
    world.connection = mapped.model_copy(update={"readers": ("public",)})
    world.sync()
    found = readers_by_title(world)
    assert all(readers == (ada if title in narrowed else {"public"}) for title, readers in found.items())
    # What names a page that not all of its readers may open is another text.
    assert all("Untitled" in text for text in world.embedder.embedded.keys() - embedded)
