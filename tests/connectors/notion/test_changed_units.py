"""What is asked of a large workspace between two complete searches."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from connectors.contract import Checkpoint, Cursor, Item
from connectors.errors import UnreadableUnits
from connectors.model import Document, Unit
from connectors.notion.settings import NotionConnection
from connectors.notion.source import NotionConnector, connect
from tests.connectors.notion.conftest import without_parts
from tests.emulators.notion import Notion, block, refusal, under

Cursors = dict[str, Cursor]


@pytest.fixture
def cursors(notion: Notion, connector: NotionConnector) -> Cursors:
    """After a first read, a day ago, of home > p0 to p19, and guide; by unit."""
    notion.step = timedelta(minutes=1)
    notion.add_page("guide")
    notion.add_page("home")
    for at in range(20):
        notion.add_page(f"p{at}", under("home"))
    notion.wait(days=1)
    found = {unit.id: last_cursor(connector.read(unit)) for unit in connector.units()}
    notion.wait(days=1)
    return found


def last_cursor(items: Iterable[Item]) -> Cursor:
    *_, last = items
    assert isinstance(last, Checkpoint)
    return last.cursor


def unit(own: str) -> Unit:
    return Unit(own, f"Title {own}")


class Pass:
    """One sync of all units, by a process of its own; the cursors move on with it."""

    def __init__(self, notion: Notion, connection: NotionConnection, cursors: Cursors, *, complete: bool = False):
        connector = connect(connection, notion.transport())
        found = connector.units() if complete else connector.changed_units(list(cursors.values()))
        self.units = [one.id for one in found]
        self.items: list[Item] = []
        for own in sorted(cursors):
            items = list(connector.read(unit(own), cursors[own]))
            cursors[own] = last_cursor(items)
            self.items += items
        self.requests = connector.requests

    @property
    def read(self) -> list[str]:
        return [one.title.removeprefix("Title ") for one in self.items if isinstance(one, Document)]


def test_an_hour_in_which_nothing_happened_costs_one_request_for_all_units(
    notion: Notion, connection: NotionConnection, cursors: Cursors
) -> None:
    done = Pass(notion, connection, cursors)
    assert (done.units, done.requests) == ([], 1)
    assert [type(one) for one in without_parts(done.items)] == [Checkpoint, Checkpoint]


def test_no_pass_over_changes_is_a_complete_listing(
    notion: Notion, connection: NotionConnection, cursors: Cursors
) -> None:
    notion.edit("p3", block("paragraph", "New words"))
    done = Pass(notion, connection, cursors)
    assert not any(one.complete for one in done.items if isinstance(one, Checkpoint))


def test_what_was_edited_is_read_once_and_its_unit_is_told(
    notion: Notion, connection: NotionConnection, cursors: Cursors
) -> None:
    notion.edit("p3", block("paragraph", "New words"))
    done = Pass(notion, connection, cursors)
    assert (done.units, done.read) == (["home"], ["p3"])
    assert done.requests < 10
    for complete in (False, True, False):
        assert Pass(notion, connection, cursors, complete=complete).read == []


def test_a_change_goes_on_being_seen_until_its_minute_is_over(
    notion: Notion, connection: NotionConnection, cursors: Cursors
) -> None:
    notion.edit("p3", block("paragraph", "New words"))
    notion.idle = timedelta()
    assert Pass(notion, connection, cursors).read == ["p3"]
    notion.put("p3", block("paragraph", "Other words, within the minute"))
    notion.wait(minutes=15)
    done = Pass(notion, connection, cursors)
    assert [one.content for one in done.items if isinstance(one, Document)] == ["Other words, within the minute"]


def test_what_search_shows_late_is_found_by_a_later_pass(
    notion: Notion, connection: NotionConnection, cursors: Cursors
) -> None:
    notion.edit("p3", block("paragraph", "New words"))
    notion.late.add("p3")
    for own in ("p4", "p5", "p6"):
        notion.edit(own, block("paragraph", "Newer words"))
    assert Pass(notion, connection, cursors).read == ["p4", "p5", "p6"]
    notion.wait(minutes=15)
    notion.late.clear()
    assert Pass(notion, connection, cursors).read == ["p3"]


@pytest.mark.parametrize("own", ["new", "home"])
def test_a_unit_that_is_new_or_renamed_is_told_as_it_is_now(
    notion: Notion, connection: NotionConnection, cursors: Cursors, own: str
) -> None:
    if own == "new":
        notion.add_page("new", title="Today")
    else:
        notion.rename("home", "Today")
    (told,) = connect(connection, notion.transport()).changed_units(list(cursors.values()))
    listed = {one.id: one for one in connect(connection, notion.transport()).units()}
    assert (told, told.name) == (listed[own], "Today")


def test_a_page_deep_in_a_page_tells_the_unit_that_it_is_in(
    notion: Notion, connection: NotionConnection, cursors: Cursors
) -> None:
    notion.put("p1", {"id": "columns", **block("column_list"), "children": [{"id": "column", **block("column")}]})
    notion.add_page("deep", under("column", "block"))
    done = Pass(notion, connection, cursors)
    assert (done.units, done.read) == (["home"], ["deep"])


def test_what_no_edit_tells_of_is_found_by_the_complete_search_that_follows(
    notion: Notion, connection: NotionConnection, connector: NotionConnector
) -> None:
    """Its time is before that of what was read last, and not of what the complete search before this one showed."""
    notion.step = timedelta(minutes=1)
    notion.add_page("home")
    notion.add_page("restricted", under("home"))
    for at in range(3):
        notion.add_page(f"p{at}", under("home"))
    notion.sealed.add("restricted")
    cursors = {one.id: last_cursor(connector.read(one)) for one in connector.units()}
    notion.wait(days=1)
    assert Pass(notion, connection, cursors).read == []
    notion.sealed.clear()
    notion.edit("p0", block("paragraph", "New words"))
    assert Pass(notion, connection, cursors).read == ["p0"]
    assert Pass(notion, connection, cursors, complete=True).read == ["restricted"]


def test_a_page_shared_now_that_was_edited_long_ago_is_a_unit_of_the_complete_search(
    notion: Notion, connection: NotionConnection, connector: NotionConnector
) -> None:
    notion.add_page("old")
    notion.sealed.add("old")
    for own in ("home", "p0", "p1", "p2"):
        notion.add_page(own)
    cursors = {one.id: last_cursor(connector.read(one)) for one in connector.units()}
    notion.wait(days=1)
    notion.sealed.clear()
    assert Pass(notion, connection, cursors).units == []
    assert "old" in Pass(notion, connection, cursors, complete=True).units


def test_a_server_that_does_not_sort_loses_nothing(
    notion: Notion, connection: NotionConnection, cursors: Cursors
) -> None:
    notion.sorts = False
    notion.edit("p19", block("paragraph", "New words"))
    notion.add_page("new", under("home"))
    done = Pass(notion, connection, cursors)
    assert (done.units, done.read) == (["home"], ["p19", "new"])


def test_what_could_not_be_placed_is_looked_at_by_the_next_pass(
    notion: Notion, connection: NotionConnection, cursors: Cursors
) -> None:
    for own in ("p3", "p4", "p5"):
        notion.edit(own, block("paragraph", "New words"))
    notion.wait(hours=3)
    notion.answers["pages/home"] = lambda: refusal(500, "internal_server_error")
    assert Pass(notion, connection, cursors).read == []
    notion.answers.clear()
    notion.edit("p6", block("paragraph", "Newer words"))
    assert Pass(notion, connection, cursors).read == ["p3", "p4", "p5", "p6"]


def test_a_unit_that_an_earlier_pass_left_out_is_read_from_where_it_was(
    notion: Notion, connection: NotionConnection, cursors: Cursors
) -> None:
    notion.edit("p3", block("paragraph", "New words"))
    others = {"guide": cursors["guide"]}
    assert Pass(notion, connection, others).read == []
    notion.wait(days=1)
    connector = connect(connection, notion.transport())
    assert list(connector.changed_units(list(others.values()))) == []
    assert "Title p3" in {
        one.title for one in connector.read(unit("home"), cursors["home"]) if isinstance(one, Document)
    }


def test_a_cursor_of_the_release_before_goes_back_to_where_it_was(
    notion: Notion, connection: NotionConnection, cursors: Cursors
) -> None:
    notion.edit("p3", block("paragraph", "New words"))
    for cursor in cursors.values():
        del cursor["asked"]
    assert Pass(notion, connection, cursors).read == ["p3"]
    assert all("asked" in cursor for cursor in cursors.values())


@pytest.mark.parametrize("how", ["forbidden", "down"])
def test_a_search_that_is_refused_tells_of_no_unit(
    notion: Notion, connection: NotionConnection, cursors: Cursors, how: str
) -> None:
    notion.refuse("search", "forbidden" if how == "forbidden" else "down")
    with pytest.raises(UnreadableUnits):
        list(connect(connection, notion.transport()).changed_units(list(cursors.values())))


def test_a_search_that_breaks_off_tells_of_no_unit(
    notion: Notion, connection: NotionConnection, cursors: Cursors
) -> None:
    for at in range(4):
        notion.edit(f"p{at}", block("paragraph", "New words"))
    notion.cursor_faults += [lambda: refusal(400, "validation_error", "The cursor has expired.")] * 3
    with pytest.raises(UnreadableUnits, match="does not name all pages"):
        list(connect(connection, notion.transport()).changed_units(list(cursors.values())))
