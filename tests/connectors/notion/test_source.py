from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from starlette.responses import JSONResponse

from connectors.contract import Checkpoint, Cursor, Deleted, Failed, Item, ListingEntry, PartState, Skipped, Window
from connectors.errors import AuthenticationFailed, InvalidResponse, Unavailable
from connectors.model import Document, Parent, Unit
from connectors.notion.settings import NotionConnection
from connectors.notion.source import NotionConnector, connect
from connectors.units import list_units
from tests.connectors.notion.conftest import START, without_parts
from tests.emulators.notion import BASE_URL, OLDER, TOKEN, Notion, block, refusal, text, under


def documents(items: Iterable[Item]) -> dict[str, Document]:
    found = [item for item in items if isinstance(item, Document)]
    assert len({item.id for item in found}) == len(found), "a document came twice"
    return {item.id.removeprefix("notion:acme-notion/"): item for item in found}


def last_cursor(items: Iterable[Item]) -> Cursor:
    *_, last = items
    assert isinstance(last, Checkpoint)
    kept: Cursor = json.loads(json.dumps(last.cursor))  # as the catalog keeps it
    return kept


def entries(connector: NotionConnector, unit: Unit) -> list[ListingEntry]:
    return [one for one in connector.listing(unit) if isinstance(one, ListingEntry)]


def unit(unit_id: str) -> Unit:
    return Unit(unit_id, f"Title {unit_id}")


@pytest.fixture
def fresh(notion: Notion, connection: NotionConnection) -> NotionConnector:
    """Another instance, as the next process would have."""
    return connect(connection, notion.transport())


def a_workspace(notion: Notion) -> None:
    """home > team > note (in a column); home > tasks (database) > row > inside; roadmap (database); guide."""
    notion.add_page("home")
    notion.add_page("team", under("home"))
    column = {"id": "column", **block("column"), "children": [{"id": "note", **child_page("note")}]}
    notion.put("team", {"id": "columns", **block("column_list"), "children": [column]})
    notion.add_page("note", under("column", "block"))
    notion.add_database("tasks", under("home"), says="What is to be done")
    notion.add_page("row", notion.row_parent("tasks-source"), properties={"Done": checkbox(True)})
    notion.add_page("inside", under("row"))
    notion.add_database("roadmap", None, "near", "far", says="Where we go")
    notion.add_page("soon", notion.row_parent("roadmap-near", with_database=False))
    notion.add_page("guide")


def child_page(title: str) -> dict[str, object]:
    return {"type": "child_page", "child_page": {"title": title}}


def checkbox(checked: bool) -> dict[str, object]:
    return {"id": "c", "type": "checkbox", "checkbox": checked}


def test_units_are_what_stands_outermost(notion: Notion, connector: NotionConnector) -> None:
    a_workspace(notion)
    notion.add_page("shared", under("secret"))
    notion.add_page("shared-block", under("secret-block", "block"))
    notion.sealed |= {"secret", "secret-block"}
    notion.add_page("thrown", in_trash=True)
    notion.add_page("odd", {"type": "agent_id", "agent_id": "a"})
    assert {found.id: found.name for found in connector.units()} == {
        name: f"Title {name}" for name in ("home", "roadmap", "guide", "shared", "shared-block", "odd")
    }


def test_units_by_pattern_of_id_or_title(notion: Notion, connection: NotionConnection) -> None:
    a_workspace(notion)
    chosen = connection.model_copy(update={"include": ("Title *",), "exclude": ("guide",)})
    assert {found.id for found in connect(chosen, notion.transport()).units()} == {"home", "roadmap"}


def test_units_under_a_page_that_search_does_not_name(notion: Notion, connector: NotionConnector) -> None:
    a_workspace(notion)
    notion.late |= {"home", "roadmap-near", "roadmap-far"}
    assert {found.id for found in connector.units()} == {"home", "roadmap", "guide"}


def test_units_above_a_block(notion: Notion, connector: NotionConnector) -> None:
    notion.add_page("home", None, {"id": "toggle", **block("toggle"), "children": [{"id": "in", **child_page("in")}]})
    notion.add_page("in", under("toggle", "block"))
    notion.late.add("home")
    assert [found.id for found in connector.units()] == ["home"]


def test_everything_is_in_its_unit_once(notion: Notion, connector: NotionConnector) -> None:
    a_workspace(notion)
    found = {one.id: documents(connector.read(one)) for one in connector.units()}
    assert {name: set(inside) for name, inside in found.items()} == {
        "home": {"home", "team", "note", "tasks", "row", "inside"},
        "roadmap": {"roadmap", "soon"},
        "guide": {"guide"},
    }
    inside = found["home"]
    assert inside["row"].kind == "database_row"
    assert inside["row"].content == "Done: yes\n\nBody row"
    assert inside["tasks"].kind == "database"
    assert inside["tasks"].content == "What is to be done\n\nProperties: Name, Status"
    assert inside["tasks"].author == "Ada"
    assert inside["inside"].kind == "page"
    assert inside["inside"].parents == tuple(
        Parent(f"notion:acme-notion/{name}", f"Title {name}") for name in ("home", "tasks", "row")
    )
    assert inside["note"].parents[-1].title == "Title team"
    assert inside["home"] == Document(
        id="notion:acme-notion/home",
        source="notion",
        connection="acme-notion",
        unit="home",
        kind="page",
        title="Title home",
        url="https://www.notion.test/home",
        content="Body home",
        content_type="text/markdown",
        author="Ada",
        created_at=START + timedelta(hours=2),
        updated_at=START + timedelta(hours=2),
        readers=("group:acme-notion:workspace",),
        fingerprint=inside["home"].fingerprint,
    )


def test_a_database_with_several_data_sources_names_each(notion: Notion, connector: NotionConnector) -> None:
    a_workspace(notion)
    content = documents(connector.read(unit("roadmap")))["roadmap"].content
    assert content == (
        "Where we go\n\nTitle roadmap-near\n\nProperties: Name, Status\n\nTitle roadmap-far\n\nProperties: Name, Status"
    )


def test_every_unit_reads_right_alone(notion: Notion, connection: NotionConnection) -> None:
    a_workspace(notion)
    together = connect(connection, notion.transport())
    for one in together.units():
        alone = connect(connection, notion.transport())
        assert list(alone.read(one)) == list(together.read(one))


def test_units_share_one_search(notion: Notion, connector: NotionConnector) -> None:
    a_workspace(notion)
    for one in connector.units():
        list(connector.read(one))
    assert notion.paths()["search"] == 4  # 11 objects, three a page
    list(connector.read(unit("guide")))
    assert notion.paths()["search"] == 8  # a second look asks anew


def test_nothing_new_costs_one_request_and_yields_nothing(
    notion: Notion, connector: NotionConnector, fresh: NotionConnector
) -> None:
    notion.page_size = 100
    a_workspace(notion)
    cursors = {one.id: last_cursor(connector.read(one)) for one in connector.units()}
    for name, cursor in cursors.items():
        assert without_parts(fresh.read(unit(name), cursor)) == [Checkpoint(cursor)]
    assert fresh.requests == 1


def test_nothing_new_in_a_large_workspace_stops_searching_early(
    notion: Notion, connector: NotionConnector, fresh: NotionConnector
) -> None:
    for at in range(60):
        notion.add_page(f"p{at}")
    cursor = last_cursor(connector.read(unit("p0")))
    list(fresh.read(unit("p0"), cursor))
    assert fresh.requests == 1


def test_what_was_edited_is_read_again_and_nothing_else(
    notion: Notion, connector: NotionConnector, fresh: NotionConnector
) -> None:
    a_workspace(notion)
    cursor = last_cursor(connector.read(unit("home")))
    notion.edit("note", block("paragraph", "New words"))
    notion.edit("guide", block("paragraph", "Elsewhere"))
    notion.add_page("added", under("note"))
    *items, last = fresh.read(unit("home"), cursor)
    assert {name: one.content for name, one in documents(items).items()} == {
        "note": "New words",
        "added": "Body added",
    }
    assert isinstance(last, Checkpoint)
    assert not last.complete


def test_an_edit_within_the_minute_of_the_read_is_not_missed(
    notion: Notion, connector: NotionConnector, fresh: NotionConnector
) -> None:
    notion.add_page("home")
    notion.wait(minutes=-30)  # the server's clock shows the minute of the edit
    cursor = last_cursor(connector.read(unit("home")))
    notion.put("home", block("paragraph", "Changed again within the minute"))
    notion.wait(minutes=5)
    items = list(fresh.read(unit("home"), cursor))
    assert documents(items)["home"].content == "Changed again within the minute"
    assert without_parts(fresh.read(unit("home"), last_cursor(items)))[:-1] == []


def test_what_search_shows_late_is_found(notion: Notion, connector: NotionConnector, fresh: NotionConnector) -> None:
    notion.add_page("home")
    notion.add_page("late", under("home"))
    notion.wait(minutes=-100)
    notion.add_page("newer", under("home"))
    notion.late.add("late")
    notion.put("home", block("paragraph", "No link to it"))
    cursor = last_cursor(connector.read(unit("home")))
    notion.late.clear()
    assert set(documents(fresh.read(unit("home"), cursor))) == {"late"}


def test_a_server_that_does_not_sort_is_read_to_the_end(
    notion: Notion, connector: NotionConnector, fresh: NotionConnector
) -> None:
    notion.sorts = False
    a_workspace(notion)
    cursor = last_cursor(connector.read(unit("home")))
    notion.edit("inside", block("paragraph", "New words"))
    assert set(documents(fresh.read(unit("home"), cursor))) == {"inside"}


def test_a_whole_read_finds_what_search_does_not_name(notion: Notion, connector: NotionConnector) -> None:
    a_workspace(notion)
    notion.late |= {"note", "row", "inside", "soon", "tasks-source"}
    notion.put("home", {"id": "tasks", "type": "child_database", "child_database": {"title": "Tasks"}})
    notion.put("row", {"id": "inside", **child_page("inside")})
    found = set(documents(connector.read(unit("home"))))
    assert found == {"home", "team", "note", "tasks", "row", "inside"}
    assert set(documents(connector.read(unit("roadmap")))) == {"roadmap", "soon"}


@pytest.mark.parametrize("stop_after", [0, 1, 2, 3])
def test_a_killed_read_goes_on_from_its_checkpoint(
    notion: Notion, connector: NotionConnector, fresh: NotionConnector, stop_after: int
) -> None:
    notion.page_size = 100
    notion.add_page("home")
    for at in range(70):
        notion.add_page(f"p{at}", under("home"))
    notion.add_page("unlisted", under("p69"))
    notion.put("p69", {"id": "unlisted", **child_page("unlisted")})
    notion.late.add("unlisted")
    whole = documents(connector.read(unit("home")))
    before: list[Item] = []
    items = fresh.read(unit("home"))
    checkpoints = 0
    while checkpoints < stop_after:
        before.append(next(items))
        checkpoints += isinstance(before[-1], Checkpoint)
    cursor = last_cursor(before) if before else None
    rest = list(fresh.read(unit("home"), cursor))
    assert documents([*before, *rest]) == whole
    assert len(whole) == 72
    assert rest[-1] == Checkpoint(last_cursor(rest), complete=cursor is None)


def test_a_window_holds_what_was_edited_inside_it(notion: Notion, connector: NotionConnector) -> None:
    notion.add_page("home")
    for at in range(6):
        notion.add_page(f"p{at}", under("home"))
    times = {name: datetime.fromisoformat(one["last_edited_time"]) for name, one in notion.objects.items()}
    items = list(connector.read(unit("home"), None, Window(times["p1"], times["p4"])))
    assert set(documents(items)) == {"p1", "p2", "p3"}
    assert items[-1] == Checkpoint({})


@pytest.mark.parametrize("flag", ["in_trash", "archived", "is_archived"])
def test_what_is_in_the_trash_is_deleted(notion: Notion, connector: NotionConnector, flag: str) -> None:
    a_workspace(notion)
    list(connector.read(unit("home")))
    notion.edit("team", **{flag: True})
    gone = [Deleted("notion:acme-notion/team"), Deleted("notion:acme-notion/note")]
    assert list(connector.fetch(unit("home"), [one.document_id for one in gone])) == gone
    if flag != "in_trash":  # which search leaves out
        assert gone[0] in list(connector.read(unit("home")))


def test_fetch_looks_again(notion: Notion, connector: NotionConnector) -> None:
    a_workspace(notion)
    read = documents(connector.read(unit("home")))
    notion.answers["pages/team"] = lambda: refusal(403, "restricted_resource")
    notion.answers["blocks/inside/children"] = lambda: refusal(500, "internal_server_error")
    ids = [f"notion:acme-notion/{name}" for name in ("row", "tasks", "guide", "nowhere", "team", "inside")]
    row, tasks, elsewhere, nowhere, team, inside = connector.fetch(unit("home"), ids)
    assert row == read["row"]
    assert tasks == read["tasks"]
    assert elsewhere == Deleted(ids[2])
    assert nowhere == Deleted(ids[3])
    assert isinstance(team, Failed)
    assert isinstance(inside, Failed)
    assert inside.title == "Title inside"


def test_a_title_alone_is_a_document(notion: Notion, connector: NotionConnector) -> None:
    notion.add_page("home", None, block("paragraph"), block("divider"))
    notion.add_database("bare", under("home"))
    notion.add_page("row", notion.row_parent("bare-source"), block("paragraph"))
    notion.add_page("said", under("home"), block("paragraph"))
    notion.remark("said", "Renamed", by="u-ada")
    found = documents(connector.read(unit("home")))
    assert {own: (one.title, one.content) for own, one in found.items() if own != "said"} == {
        "home": ("Title home", ""),
        "bare": ("Title bare", "Properties: Name, Status"),
        "row": ("Title row", ""),
    }
    assert str(found["said"].content).endswith("Renamed")


def test_a_page_without_title_and_text_is_skipped(notion: Notion, connector: NotionConnector) -> None:
    notion.add_page("home", None, block("paragraph"))
    notion.rename("home", "")
    item, _ = without_parts(connector.read(unit("home")))
    assert item == Skipped("notion:acme-notion/home", "Untitled", "empty", "https://www.notion.test/home")


def test_one_broken_page_leaves_the_rest_alone(notion: Notion, connector: NotionConnector) -> None:
    a_workspace(notion)
    notion.answers["blocks/team/children"] = lambda: refusal(500, "internal_server_error")
    notion.objects["row"]["properties"]["Done"] = {"type": "formula", "formula": "none", "id": "r"}
    items = list(connector.read(unit("home")))
    assert [one.document_id for one in items if isinstance(one, Failed)] == [
        "notion:acme-notion/team",
        "notion:acme-notion/row",
    ]
    assert set(documents(items)) == {"home", "note", "tasks", "inside"}


def test_a_server_that_is_down_ends_the_read(notion: Notion, connector: NotionConnector) -> None:
    notion.add_page("home")
    for at in range(9):
        notion.add_page(f"p{at}", under("home"))
        notion.answers[f"blocks/p{at}/children"] = lambda: refusal(503, "service_unavailable")
    items = connector.read(unit("home"))
    assert len(documents(islice(items, 1))) == 1
    assert all(isinstance(item, Failed) for item in islice(items, 2))
    with pytest.raises(Unavailable):
        list(items)


def test_a_token_that_is_revoked_ends_the_read(notion: Notion, connector: NotionConnector) -> None:
    notion.add_page("home")
    notion.answers["blocks/home/children"] = lambda: refusal(401, "unauthorized")
    with pytest.raises(AuthenticationFailed):
        list(connector.read(unit("home")))


def test_parents_that_go_in_a_circle_end(notion: Notion, connector: NotionConnector) -> None:
    notion.add_page("a", under("b"))
    notion.add_page("b", under("a"))
    assert list(connector.units()) == []
    assert [type(item) for item in connector.read(unit("a"))][-1] is Checkpoint


def test_blocks_are_read_to_the_bottom(notion: Notion, connector: NotionConnector) -> None:
    deep = block("paragraph", "Deep 30")
    for level in reversed(range(30)):
        deep = {**block("toggle", f"Deep {level}"), "children": [deep]}
    wide = [block("paragraph", f"Wide {at}") for at in range(10)]
    notion.add_page("home", None, deep, *wide)
    lines = str(documents(connector.read(unit("home")))["home"].content).split("\n\n")
    assert lines == [f"Deep {level}" for level in range(31)] + [f"Wide {at}" for at in range(10)]


def synced(original: str | None, **more: object) -> dict[str, object]:
    source = {"type": "block_id", "block_id": original} if original else None
    return {"type": "synced_block", "synced_block": {"synced_from": source}, **more}


def test_synced_blocks_show_the_original(notion: Notion, connector: NotionConnector) -> None:
    loop = synced("original")
    notion.add_page("home", None, {"id": "original", **synced(None), "children": [block("paragraph", "Once"), loop]})
    notion.add_page("copy", under("home"), synced("original"))
    notion.add_page("cut", under("home"), {**synced("hidden"), "children": [block("paragraph", "Own words")]})
    notion.sealed.add("hidden")
    found = documents(connector.read(unit("home")))
    assert {name: one.content for name, one in found.items()} == {"home": "Once", "copy": "Once", "cut": "Own words"}


def policies_shown_elsewhere(notion: Notion) -> None:
    """`home` and `team` show what stands on `policies`, `team` inside of what it shows of `shared`."""
    original = {"id": "rules", **synced(None), "children": [block("paragraph", "Capped at ten.")]}
    notion.add_page("policies", None, original, block("paragraph", "Other words."))
    notion.add_page("shared", None, {"id": "outer", **synced(None), "children": [synced("rules")]})
    notion.add_page("home", None, synced("rules"))
    notion.add_page("team", under("home"), synced("outer"))
    notion.add_page("plain", under("home"))


def test_what_shows_a_synced_block_is_read_again_when_the_original_changes(
    notion: Notion, connection: NotionConnection, connector: NotionConnector, fresh: NotionConnector
) -> None:
    policies_shown_elsewhere(notion)
    cursor = last_cursor(connector.read(unit("home")))
    notion.edit("policies")
    notion.put("rules", block("paragraph", "Capped at twelve."))
    items = list(fresh.read(unit("home"), cursor))
    assert {own: one.content for own, one in documents(items).items()} == {
        "home": "Capped at twelve.",
        "team": "Capped at twelve.",
    }
    notion.log.clear()
    assert documents(connect(connection, notion.transport()).read(unit("home"), last_cursor(items))) == {}
    assert set(notion.paths()) == {"search"}


def test_an_edit_beside_an_original_costs_its_own_blocks_only(
    notion: Notion, connector: NotionConnector, fresh: NotionConnector
) -> None:
    policies_shown_elsewhere(notion)
    cursor = last_cursor(connector.read(unit("home")))
    notion.edit("policies")
    notion.log.clear()
    assert documents(fresh.read(unit("home"), cursor)) == {}
    assert {path for path in notion.paths() if path != "search"} == {"blocks/rules", "blocks/rules/children"}


def test_an_original_that_moves_is_followed(notion: Notion, connector: NotionConnector) -> None:
    policies_shown_elsewhere(notion)
    cursor = last_cursor(connector.read(unit("home")))
    notion.add_page("law", None, {"id": "rules", **synced(None), "children": [block("paragraph", "Capped at ten.")]})
    notion.put("policies")
    notion.edit("policies")
    notion.blocks["rules"]["parent"] = {"type": "page_id", "page_id": "law"}
    cursor = last_cursor(connector.read(unit("home"), cursor))
    assert set(cursor["originals"].values()) >= {"law"}


def test_an_original_out_of_reach_leaves_its_copies_as_they_are(notion: Notion, connector: NotionConnector) -> None:
    notion.add_page("home", None, {**synced("hidden"), "children": [block("paragraph", "Own words")]})
    notion.sealed.add("hidden")
    cursor = last_cursor(connector.read(unit("home")))
    assert cursor["originals"] == {"hidden": ""}
    notion.edit("home")
    assert set(documents(connector.read(unit("home"), cursor))) == {"home"}


def test_an_event_finds_what_shows_a_synced_block(notion: Notion, connector: NotionConnector) -> None:
    policies_shown_elsewhere(notion)
    cursors = {name: last_cursor(connector.read(unit(name))) for name in ("home", "policies", "shared")}
    changed = {"notion:acme-notion/policies", "notion:acme-notion/policies/files/x", "notion:acme-notion/home/below"}
    assert connector.find_dependents(changed, cursors) == {}
    notion.put("rules", block("paragraph", "Capped at twelve."))
    notion.log.clear()
    assert {one: sorted(ids) for one, ids in connector.find_dependents(changed, cursors).items()} == {
        "home": ["notion:acme-notion/home", "notion:acme-notion/team"],
        "shared": ["notion:acme-notion/shared"],
    }
    assert notion.paths()["blocks/rules/children"] == 1


@pytest.mark.parametrize("kind", ["meeting_notes", "transcription"])
def test_meeting_notes_are_read_part_by_part(notion: Notion, connector: NotionConnector, kind: str) -> None:
    parts = {"summary_block_id": "summary", "notes_block_id": "missing", "transcript_block_id": "transcript"}
    meeting = {"type": kind, kind: {"title": text("Weekly"), "children": parts}}
    notion.add_page("home", None, meeting)
    notion.put("summary", block("to_do", "Ship it", checked=True))
    notion.put("transcript", block("paragraph", "Hello all"))
    content = documents(connector.read(unit("home")))["home"].content
    assert content == "Weekly\n\n**Summary**\n\n- [x] Ship it\n\n**Transcript**\n\nHello all"


def test_long_properties_are_read_to_the_end(notion: Notion, connector: NotionConnector) -> None:
    related = [f"r{at}" for at in range(30)]
    for name in related:
        notion.add_page(name, under("home"))
    first = [{"id": name} for name in related[:25]]
    relation = {"id": "rel", "type": "relation", "has_more": True, "relation": first}
    notion.add_page("home", None, properties={"Related": relation})
    items = [{"object": "property_item", "type": "relation", "relation": {"id": name}} for name in related]
    notion.long_properties["home", "rel"] = items
    content = str(documents(connector.read(unit("home")))["home"].content)
    assert content.split("\n")[0] == "Related: " + ", ".join(f"Title {name}" for name in related)


def property_items(kind: str, values: Iterable[object]) -> list[dict[str, object]]:
    return [{"object": "property_item", "id": "p", "type": kind, kind: value} for value in values]


@pytest.mark.parametrize("count", [25, 26, 60])
@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("people", {"object": "user", "id": "u-ada"}, "Ada, " * 59 + "Ada"),
        ("rich_text", text("word ")[0], "word " * 59 + "word"),
    ],
)
def test_people_and_texts_are_read_to_the_end(
    notion: Notion, connector: NotionConnector, count: int, kind: str, value: dict[str, object], shown: str
) -> None:
    notion.add_page("home", properties={"Long": {"id": "p", "type": kind, kind: [value] * 25}})
    notion.long_properties["home", "p"] = property_items(kind, [value] * count)
    content = str(documents(connector.read(unit("home")))["home"].content)
    expected = " ".join(shown.split()[:count]).rstrip(",")
    assert content.split("\n")[0] == f"Long: {expected}"


def test_a_title_is_read_to_the_end(notion: Notion, connector: NotionConnector) -> None:
    runs = [text(f"w{at} ")[0] for at in range(30)]
    notion.add_page("home", None, block("paragraph"))
    notion.objects["home"]["properties"]["Name"] |= {"id": "p", "title": runs[:25]}
    notion.long_properties["home", "p"] = property_items("title", runs)
    assert documents(connector.read(unit("home")))["home"].title == " ".join(f"w{at}" for at in range(30))


def test_rollups_are_read_to_the_end(notion: Notion, connector: NotionConnector) -> None:
    related = [f"r{at}" for at in range(30)]
    for name in related:
        notion.add_page(name, under("home"))
    names = [{"type": "title", "title": text(name)} for name in related]
    notion.add_page(
        "home",
        properties={
            "Related": {"id": "rel", "type": "relation", "has_more": True, "relation": [{"id": "r0"}]},
            "Names": {"id": "all", "type": "rollup", "rollup": {"type": "array", "array": names[:25]}},
            "Points": {"id": "sum", "type": "rollup", "rollup": {"type": "number", "number": 25, "function": "sum"}},
            "Late": {"id": "max", "type": "rollup", "rollup": {"type": "incomplete", "incomplete": {}}},
            "Odd": {"id": "odd", "type": "rollup", "rollup": {"type": "number", "number": 7, "function": "sum"}},
        },
    )
    relations = property_items("relation", ({"id": name} for name in related))
    notion.long_properties = {("home", own): relations for own in ("rel", "sum", "max", "odd")}
    notion.long_properties["home", "all"] = property_items("title", (text(name)[0] for name in related))
    notion.rollups = {
        ("home", "all"): {"type": "array", "array": [], "function": "show_original"},
        ("home", "sum"): {"type": "number", "number": 30, "function": "sum"},
        ("home", "max"): {"type": "date", "date": {"start": "2026-03-01"}, "function": "latest_date"},
    }
    notion.answers["pages/home/properties/odd"] = lambda: refusal(400, "validation_error")
    lines = str(documents(connector.read(unit("home")))["home"].content).split("\n")
    assert lines[:5] == [
        "Related: " + ", ".join(f"Title {name}" for name in related),
        "Names: " + ", ".join(related),
        "Points: 30",
        "Late: 2026-03-01",
        "Odd: 7 (Notion told the first values only)",
    ]


def test_a_property_without_end_is_bounded_and_says_so(notion: Notion, connector: NotionConnector) -> None:
    notion.page_size = 100
    runs = [text(f"w{at} ")[0] for at in range(1_200)]
    notion.add_page("home", properties={"Long": {"id": "p", "type": "rich_text", "rich_text": runs[:25]}})
    notion.long_properties["home", "p"] = property_items("rich_text", runs)
    line = str(documents(connector.read(unit("home")))["home"].content).split("\n")[0]
    assert line.endswith(" w999 (Notion told the first values only)")


def test_titles_are_the_same_however_little_is_listed(
    notion: Notion, connector: NotionConnector, fresh: NotionConnector
) -> None:
    notion.add_page("other")
    link = {"type": "link_to_page", "link_to_page": {"type": "page_id", "page_id": "other"}}
    related = {"id": "rel", "type": "relation", "relation": [{"id": "other"}, {"id": "nowhere"}]}
    notion.add_page("home", None, link, properties={"Related": related})
    cursor = last_cursor(connector.read(unit("home")))
    notion.edit("home")
    (home,) = documents(fresh.read(unit("home"), cursor)).values()
    assert home.content == "Related: Title other\n\n[Title other](https://www.notion.so/other)"


def test_options_are_tags(notion: Notion, connector: NotionConnector) -> None:
    status = {"id": "s", "type": "status", "status": {"name": "Doing"}}
    topics = {"id": "t", "type": "multi_select", "multi_select": [{"name": "ops"}, {"name": "Doing"}]}
    notion.add_page("home", None, properties={"Status": status, "Topics": topics})
    assert documents(connector.read(unit("home")))["home"].tags == ("Doing", "ops")


def test_a_server_of_the_version_without_data_sources(notion: Notion, connector: NotionConnector) -> None:
    """Databases are listed themselves, and rows name them as their parent."""
    notion.add_page("home")
    notion.add_database("db", under("home"), says="To do")
    notion.add_page("row", notion.row_parent("db-source"))
    notion.versions = (OLDER,)
    found = documents(connector.read(unit("home")))
    assert found["db"].content == "To do\n\nProperties: Name, Status"
    assert found["row"].kind == "database_row"
    assert [parent.title for parent in found["row"].parents] == ["Title home", "Title db"]


def test_check_says_what_is_in_reach(notion: Notion, connector: NotionConnector) -> None:
    a_workspace(notion)
    findings = connector.check()
    assert all(finding.ok for finding in findings)
    assert [finding.detail for finding in findings] == [
        "integration Headrace of Acme",
        "2 with an e-mail address",
        "ok",
        "3 pages and databases in reach, or more",
        "read of 'Title guide'",
        "read of 'Title roadmap-near'",
        "read of 'Title guide'",
    ]


@pytest.mark.parametrize(
    ("path", "status", "code", "subject"),
    [
        ("users/me", 401, "unauthorized", "credentials"),
        ("users", 403, "restricted_resource", "people"),
        ("search", 400, "missing_version", "search"),
        ("blocks/{}/children", 403, "restricted_resource", "blocks"),
        ("data_sources/{}/query", 404, "restricted_resource", "rows"),
        ("comments", 403, "restricted_resource", "comments"),
    ],
)
def test_check_names_what_is_wrong(
    notion: Notion, connector: NotionConnector, path: str, status: int, code: str, subject: str
) -> None:
    a_workspace(notion)
    for own in notion.objects:
        notion.answers[path.format(own)] = lambda: refusal(status, code, "said so")
    wrong = [finding for finding in connector.check() if not finding.ok and finding.subject != "pages"]
    assert [finding.subject for finding in wrong] == [subject]
    assert "said so" in wrong[0].detail
    assert TOKEN not in wrong[0].detail


def test_check_says_that_nothing_is_shared(notion: Notion, connector: NotionConnector) -> None:
    notion.users.clear()
    wrong = [finding.subject for finding in connector.check() if not finding.ok]
    assert wrong == ["people", "pages"]


def test_times_are_aware(notion: Notion, connector: NotionConnector) -> None:
    notion.add_page("home", created_time="nonsense")
    (home,) = documents(connector.read(unit("home"))).values()
    assert home.created_at is None
    assert home.updated_at == datetime(2026, 1, 1, 2, tzinfo=UTC)


def test_a_listing_names_what_a_read_yields(notion: Notion, connector: NotionConnector) -> None:
    a_workspace(notion)
    notion.add_page("thrown", under("team"), in_trash=True)
    notion.add_page("empty", under("team"), block("divider"))
    for one in connector.units():
        read = [item for item in connector.read(one) if not isinstance(item, Checkpoint | PartState)]
        before = notion.paths()
        named = {listed.document_id: listed for listed in entries(connector, one)}
        content = {path for path in notion.paths() - before if "children" in path or path == "comments"}
        assert content == set()
        assert set(named) == {item.id if isinstance(item, Document) else item.document_id for item in read}
        for item in read:
            if isinstance(item, Document):
                listed = named[item.id]
                assert (listed.title, listed.updated_at, listed.fingerprint) == (
                    item.title,
                    item.updated_at,
                    item.fingerprint,
                )


def test_a_mark_tells_of_a_move_that_no_time_tells(notion: Notion, connector: NotionConnector) -> None:
    a_workspace(notion)
    before = {one.document_id: one for one in entries(connector, unit("home"))}
    notion.objects["team"]["parent"] = under("row")
    after = {one.document_id: one for one in entries(connector, unit("home"))}
    others = {name for name, one in after.items() if one.fingerprint != before[name].fingerprint}
    assert others == {"notion:acme-notion/team", "notion:acme-notion/note"}
    assert all(one.updated_at == before[name].updated_at for name, one in after.items())


@pytest.mark.parametrize("late", [set(), {"row"}], ids=["named by search", "named by its database"])
def test_a_row_that_moves_out_of_its_database_is_told_by_the_unit_that_it_has_left(
    notion: Notion, connector: NotionConnector, late: set[str]
) -> None:
    """Its database stays as it was: nothing but the row itself tells of the move."""
    a_workspace(notion)
    notion.late = late
    cursor = last_cursor(connector.read(unit("home")))
    notion.late = set()
    notion.wait(hours=3)
    notion.move("row", "guide")
    items = list(connector.read(unit("home"), cursor))
    assert [(one.document_id, one.moved_to) for one in items if isinstance(one, Deleted)] == [
        ("notion:acme-notion/row", "guide")
    ]
    notion.wait(hours=3)
    notion.edit("row")
    again = connector.read(unit("home"), last_cursor(items))
    assert [one for one in again if isinstance(one, Deleted)] == [], "it is told once"


def test_a_search_whose_cursor_is_refused_begins_again(notion: Notion, connector: NotionConnector) -> None:
    a_workspace(notion)
    notion.cursor_faults = [lambda: refusal(400, "validation_error", "The start_cursor provided is invalid.")]
    assert {found.id for found in connector.units()} == {"home", "roadmap", "guide"}
    assert set(documents(connector.read(unit("home")))) == {"home", "team", "note", "tasks", "row", "inside"}


def test_of_a_search_whose_cursors_are_all_refused_the_beginning_is_read(
    notion: Notion, connector: NotionConnector
) -> None:
    """What was not named is neither taken for gone nor passed over for good."""
    a_workspace(notion)
    cursor = last_cursor(connector.read(unit("home")))
    for own in ("guide", "row", "roadmap", "note", "team", "home"):
        notion.edit(own)
    notion.cursor_faults = [lambda: refusal(400, "validation_error", "The start_cursor provided is invalid.")] * 3
    found, unreadable, gaps = list_units(connector)
    assert {one.id for one in found} == {"home"}
    assert (unreadable, [gap.reason for gap in gaps]) == ((), [f"{BASE_URL}/v1/search does not name all pages"])
    items = list(connector.read(unit("home"), cursor))
    assert set(documents(items)) >= {"home", "team", "note"}
    assert set(documents(connector.read(unit("home"), last_cursor(items)))) >= {"row"}


def test_a_listing_that_notion_cuts_is_not_taken_for_whole(notion: Notion, connector: NotionConnector) -> None:
    notion.add_page("home")
    found = {"results": [notion.objects["home"]], "has_more": False, "request_status": {"type": "incomplete"}}
    notion.answers["search"] = lambda: JSONResponse(found)
    with pytest.raises(InvalidResponse, match="does not name all"):
        list(entries(connector, unit("home")))
    *_, last = connector.read(unit("home"))
    assert isinstance(last, Checkpoint)
    assert not last.complete


def test_the_unit_of_an_object(notion: Notion, connection: NotionConnection) -> None:
    a_workspace(notion)
    notion.add_page("thrown", under("team"), in_trash=True)
    chosen = connect(connection.model_copy(update={"exclude": ("guide",)}), notion.transport())
    units = {"note": "home", "inside": "home", "tasks": "home", "tasks-source": "home", "soon": "roadmap"}
    units |= {"note/files/f": "home", "thrown/below": "home"}
    for name, expected in units.items():
        assert chosen.unit_of(f"notion:acme-notion/{name}") == expected
    for name in ("guide", "thrown", "nowhere"):
        assert chosen.unit_of(f"notion:acme-notion/{name}") is None


def test_looking_up_the_unit_spares_the_fetch_its_requests(notion: Notion, connector: NotionConnector) -> None:
    a_workspace(notion)
    document_id = "notion:acme-notion/note"
    assert connector.unit_of(document_id) == "home"
    assert isinstance(next(iter(connector.fetch(unit("home"), [document_id]))), Document)
    assert notion.paths()["pages/note"] == notion.paths()["pages/home"] == 1
    notion.edit("note", block("paragraph", "New words"))
    list(connector.fetch(unit("home"), [document_id]))
    assert notion.paths()["pages/note"] == 2


def test_what_stands_below_a_page_is_fetched_by_one_name(notion: Notion, connector: NotionConnector) -> None:
    a_workspace(notion)
    notion.put("home", {"id": "team", **child_page("team")}, {"id": "tasks", **child_database("tasks")})
    notion.put("row", {"id": "inside", **child_page("inside")})
    found = documents(connector.fetch(unit("home"), ["notion:acme-notion/home/below"]))
    assert set(found) == {"team", "note", "tasks", "row", "inside"}


def test_a_new_name_is_shown_at_any_depth(notion: Notion, connector: NotionConnector, fresh: NotionConnector) -> None:
    notion.add_page("home")
    notion.put("home", {"id": "a", **child_page("a")})
    for name, parent_name, below in (("a", "home", "b"), ("b", "a", "c"), ("c", "b", "")):
        body = [{"id": below, **child_page(below)}] if below else [block("paragraph", "Words")]
        notion.add_page(name, under(parent_name), *body)
    cursor = last_cursor(connector.read(unit("home")))
    notion.edit("a", properties={"Name": {"id": "title", "type": "title", "title": text("Renamed")}})
    found = documents(fresh.read(unit("home"), cursor))
    assert set(found) == {"a", "b", "c"}
    assert [parent.title for parent in found["c"].parents] == ["Title home", "Renamed", "Title b"]


def test_a_page_that_comes_to_stand_below_another_is_found_though_no_time_tells(
    notion: Notion, connector: NotionConnector, fresh: NotionConnector
) -> None:
    notion.add_page("home", None, {"id": "a", **child_page("a")})
    notion.add_page("guide", None, {"id": "b", **child_page("b")})
    notion.add_page("a", under("home"))
    notion.add_page("b", under("guide"))
    notion.wait(minutes=600)
    cursor = last_cursor(connector.read(unit("home")))
    notion.edit("home", {"id": "a", **child_page("a")}, {"id": "b", **child_page("b")})
    notion.objects["b"]["parent"] = under("home")
    assert set(documents(fresh.read(unit("home"), cursor))) == {"home", "b"}


def test_new_columns_of_a_database_reach_its_rows(
    notion: Notion, connector: NotionConnector, fresh: NotionConnector
) -> None:
    a_workspace(notion)
    notion.wait(minutes=600)
    cursor = last_cursor(connector.read(unit("home")))
    notion.edit("tasks-source", properties={"Name": {"type": "title"}, "Owner": {"type": "people"}})
    assert set(documents(fresh.read(unit("home"), cursor))) == {"tasks", "row"}


def test_an_interrupted_rename_goes_on(notion: Notion, connector: NotionConnector, fresh: NotionConnector) -> None:
    below = [f"p{at}" for at in range(50)]
    notion.add_page("home")
    notion.add_page("top", under("home"), *({"id": name, **child_page(name)} for name in below))
    for name in below:
        notion.add_page(name, under("top"))
    notion.wait(minutes=600)
    cursor = last_cursor(connector.read(unit("home")))
    notion.edit("top", properties={"Name": {"id": "title", "type": "title", "title": text("Renamed")}})
    before: list[Item] = []
    for item in fresh.read(unit("home"), cursor):
        before.append(item)
        if isinstance(item, Checkpoint):
            break
    assert len(before) == 22
    rest = documents(connector.read(unit("home"), last_cursor(before)))
    assert documents(before).keys() | rest.keys() == {"top", *below}
    assert not documents(before).keys() & rest.keys() - {"top"}


def test_comments_of_a_page_stand_below_it(notion: Notion, connector: NotionConnector) -> None:
    notion.add_page("home")
    notion.remarks["home"] = [
        remark("d1", "Why so?", "u-ada"),
        remark("d2", "Well said.", "u-bob"),
        remark("d1", "Because.", "u-bob"),
        remark("d3", "", "u-bob"),
    ]
    content = documents(connector.read(unit("home")))["home"].content
    assert content == (
        "Body home\n\n## Comments\n\nAda (2026-01-05): Why so?\n\nBob (2026-01-05): Because.\n\n"
        "Bob (2026-01-05): Well said."
    )


@pytest.mark.parametrize(("on_blocks", "asked"), [(False, ["home"]), (True, ["home", "in", "home.1"])])
def test_comments_on_blocks_are_read_where_that_is_asked_for(
    notion: Notion, connection: NotionConnection, on_blocks: bool, asked: list[str]
) -> None:
    notion.add_page("home", None, {"id": "in", **block("paragraph", "Words")}, block("paragraph", "More"))
    notion.remarks["in"] = [remark("d1", "Which words?", "u-ada")]
    chosen = connect(connection.model_copy(update={"block_comments": on_blocks}), notion.transport())
    content = str(documents(chosen.read(unit("home")))["home"].content)
    assert ("Which words?" in content) is on_blocks
    places = [request.url.params["block_id"] for request in notion.requests if request.url.path.endswith("comments")]
    assert places == asked


@pytest.mark.parametrize("on", ["guide", "team.0"])
def test_a_link_to_a_comment_leads_to_its_page(notion: Notion, connector: NotionConnector, on: str) -> None:
    a_workspace(notion)
    notion.put("team", block("paragraph", "Body"))
    comment = notion.remark(on, "Why?")
    gone = {"type": "link_to_page", "link_to_page": {"type": "comment_id", "comment_id": "gone"}}
    link = {"type": "link_to_page", "link_to_page": {"type": "comment_id", "comment_id": comment}}
    notion.edit("note", link, gone)
    page = on.partition(".")[0]
    found = documents(connector.read(unit("home")))
    assert found["note"].content == f"[Title {page}](https://www.notion.so/{page})"


def test_columns_say_what_they_are_for(notion: Notion, connector: NotionConnector) -> None:
    a_workspace(notion)
    notion.objects["tasks-source"]["properties"]["Status"]["description"] = "How far it has come"
    assert "Status: How far it has come" in documents(connector.read(unit("home")))["tasks"].content


def test_comments_are_asked_for_once_where_the_integration_may_not(notion: Notion, connector: NotionConnector) -> None:
    a_workspace(notion)
    notion.answers["comments"] = lambda: refusal(403, "restricted_resource")
    assert len(documents(connector.read(unit("home")))) == 6
    assert notion.paths()["comments"] == 1


def test_an_older_server_is_spoken_to_as_such(notion: Notion, connector: NotionConnector) -> None:
    notion.add_page("home")
    notion.versions = (OLDER,)
    assert set(documents(connector.read(unit("home")))) == {"home"}
    assert connector.check()[0].detail == "integration Headrace of Acme, API version 2022-06-28"


def test_a_database_that_the_older_version_cannot_show_is_named(notion: Notion, connector: NotionConnector) -> None:
    a_workspace(notion)
    message = "Databases with multiple data sources are not supported in this API version."
    notion.answers["databases/tasks"] = lambda: refusal(400, "validation_error", message)
    (failed,) = connector.fetch(unit("home"), ["notion:acme-notion/tasks"])
    assert isinstance(failed, Failed)
    assert message in failed.error


def child_database(title: str) -> dict[str, object]:
    return {"type": "child_database", "child_database": {"title": title}}


def remark(discussion: str, said: str, by: str) -> dict[str, object]:
    told = {"object": "comment", "discussion_id": discussion, "created_time": "2026-01-05T10:00:00.000Z"}
    return {**told, "created_by": {"object": "user", "id": by}, "rich_text": text(said) if said else []}
