"""Readers by page: what a connection's settings narrow reaches every document below, whatever way it is read."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from connectors.contract import Checkpoint, Failed, Item
from connectors.model import Document, Unit
from connectors.notion.settings import NotionConnection
from connectors.notion.source import NotionConnector, connect
from tests.connectors.notion.test_source import entries
from tests.emulators.notion import Notion, file_block, refusal, under

EVERYBODY = ("group:acme-notion:workspace",)
ADA = ("user:ada@acme.test",)
ADDRESS = ("ada@acme.test",)
HOME = Unit("home", "Title home")


@pytest.fixture
def mapped(connection: NotionConnection) -> NotionConnection:
    by_page = {"team": ("ada@acme.test",), "tasks": ("bob@acme.test",), "open": ("workspace",)}
    return connection.model_copy(update={"readers_by_page": by_page})


@pytest.fixture
def connector(notion: Notion, mapped: NotionConnection) -> NotionConnector:
    """home > team > note > open; team > a file; home > tasks (database) > row; home > guide."""
    notion.add_page("home")
    notion.add_page("team", under("home"), file_block("file", notion.upload("offer.txt", b"Twelve valves.")))
    notion.add_page("note", under("team"))
    notion.add_page("open", under("note"))
    notion.add_database("tasks", under("home"), says="What is to be done")
    notion.add_page("row", notion.row_parent("tasks-source"))
    notion.add_page("guide", under("home"))
    return connect(mapped, notion.transport())


def readers(items: Iterable[Item]) -> dict[str, tuple[str, ...]]:
    return {
        one.title if one.kind == "file" else one.id.rpartition("/")[2]: one.readers
        for one in items
        if isinstance(one, Document)
    }


EXPECTED = {
    "home": EVERYBODY,
    "team": ADA,
    "offer.txt": ADA,
    "note": ADA,
    "open": EVERYBODY,
    "tasks": ("user:bob@acme.test",),
    "row": ("user:bob@acme.test",),
    "guide": EVERYBODY,
}


def test_the_nearest_page_above_decides(connector: NotionConnector) -> None:
    items = list(connector.read(HOME))
    assert readers(items) == EXPECTED
    [found] = connector.units()
    assert found.readers == EVERYBODY
    ids = [one.id for one in items if isinstance(one, Document)]
    assert readers(connector.fetch(HOME, ids)) == EXPECTED


def test_another_map_is_applied_to_all_that_was_read_by_the_next_read(
    notion: Notion, connector: NotionConnector, mapped: NotionConnection
) -> None:
    *_, last = connector.read(HOME)
    assert isinstance(last, Checkpoint)
    assert readers(connect(mapped, notion.transport()).read(HOME, last.cursor)) == {}
    for by_page, expected in (({"team": ("bob@acme.test",)}, ("user:bob@acme.test",)), ({}, EVERYBODY)):
        other = mapped.model_copy(update={"readers_by_page": by_page})
        found = readers(connect(other, notion.transport()).read(HOME, last.cursor))
        assert {found[name] for name in ("team", "note", "open", "offer.txt")} == {expected}
        assert found["row"] == EVERYBODY


def test_a_listing_shows_that_an_object_has_other_readers(
    notion: Notion, connector: NotionConnector, mapped: NotionConnection
) -> None:
    before = {entry.document_id: entry.fingerprint for entry in entries(connector, HOME)}
    other = mapped.model_copy(update={"readers_by_page": {"team": ("bob@acme.test",), "tasks": ("bob@acme.test",)}})
    after = {entry.document_id: entry.fingerprint for entry in entries(connect(other, notion.transport()), HOME)}
    changed = {key.rpartition("/")[2] for key in before if before[key] != after[key]}
    assert changed == {"team", "note", "open"}


def test_a_page_that_cannot_be_read_tells_its_readers_by_where_it_is(
    notion: Notion, connector: NotionConnector
) -> None:
    notion.answers["blocks/note/children"] = lambda: refusal(400, "validation_error")
    [failed] = [item for item in connector.read(HOME) if isinstance(item, Failed)]
    assert (failed.hides, failed.readers) == (False, ADA)


def test_a_page_of_which_nobody_knows_where_it_is_is_hidden(notion: Notion, connector: NotionConnector) -> None:
    notion.answers["pages/note"] = lambda: refusal(400, "invalid_json")
    [failed] = connector.fetch(HOME, ["notion:acme-notion/note"])
    assert isinstance(failed, Failed)
    assert (failed.hides, failed.readers) == (True, None)


def test_without_a_map_a_page_that_cannot_be_read_stays_as_it_is(notion: Notion, connection: NotionConnection) -> None:
    notion.add_page("home")
    notion.answers["blocks/home/children"] = lambda: refusal(400, "validation_error")
    [failed] = [item for item in connect(connection, notion.transport()).read(HOME) if isinstance(item, Failed)]
    assert (failed.hides, failed.readers) == (False, None)


def test_below_what_is_not_in_reach_the_settings_decide_or_all_readers_together(
    notion: Notion, mapped: NotionConnection
) -> None:
    """secret > draft > sketch, where secret is not shared; team, which the settings name, is not either."""
    notion.add_page("draft", under("secret"))
    notion.add_page("sketch", under("draft"))
    notion.add_page("plan", under("team"))
    notion.add_page("odd", {"type": "agent_id", "agent_id": "a"})
    found = connect(mapped, notion.transport())
    units = {unit.id: unit for unit in found.units()}
    assert {own: unit.readers for own, unit in units.items()} == {"draft": (), "plan": ADA, "odd": ()}
    assert readers(found.read(units["draft"])) == {"draft": (), "sketch": ()}
    assert readers(found.read(units["plan"])) == {"plan": ADA}
    with_ada = mapped.model_copy(
        update={"readers": ("workspace", "ada@acme.test"), "readers_by_page": {"team": ADDRESS}}
    )
    by_ada = connect(with_ada, notion.transport())
    assert readers(by_ada.read(units["draft"])) == {"draft": ADA, "sketch": ADA}
    assert {unit.id: unit.readers for unit in connect(unmapped(mapped), notion.transport()).units()} == dict.fromkeys(
        units, EVERYBODY
    )


@pytest.mark.parametrize(
    "parent",
    [
        {"type": "agent_id", "agent_id": "a"},
        {"type": "workspace", "workspace": False},
        {"type": "workspace", "workspace": True, "page_id": "team"},
        {"type": "page_id", "page_id": None},
        {"workspace": "yes"},
        {},
        None,
    ],
)
def test_only_what_is_surely_at_the_top_has_the_readers_of_all(
    notion: Notion, mapped: NotionConnection, parent: object
) -> None:
    notion.add_page("odd")
    notion.objects["odd"]["parent"] = parent
    assert [unit.readers for unit in connect(mapped, notion.transport()).units()] == [()]
    notion.objects["odd"]["parent"] = {"workspace": True}
    assert [unit.readers for unit in connect(mapped, notion.transport()).units()] == [EVERYBODY]


def test_check_says_who_reads_what_stands_in_pages_that_are_not_in_reach(
    notion: Notion, connector: NotionConnector
) -> None:
    notion.add_page("draft", under("secret"))
    finding = connector.check()[-1]
    assert (finding.subject, finding.ok) == ("readers_by_page", False)
    assert "as 'Title draft', are in what is not in reach" in finding.detail


def unmapped(mapped: NotionConnection) -> NotionConnection:
    return mapped.model_copy(update={"readers_by_page": {}})


def test_check_names_what_is_not_in_reach(notion: Notion, connector: NotionConnector, mapped: NotionConnection) -> None:
    finding = connector.check()[-1]
    assert (finding.subject, finding.ok) == ("readers_by_page", True)
    by_page = {**mapped.readers_by_page, "secret": (), "tasks-source": ()}
    wrong = connect(mapped.model_copy(update={"readers_by_page": by_page}), notion.transport()).check()[-1]
    assert (wrong.subject, wrong.ok) == ("readers_by_page", False)
    assert "not in reach: secret, tasks-source" in wrong.detail
