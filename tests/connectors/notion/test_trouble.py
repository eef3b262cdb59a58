"""One object that Notion does not show, or not as documented, costs that object and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest
from starlette.responses import JSONResponse, Response

from connectors.contract import Checkpoint, Failed, Item
from connectors.errors import InvalidResponse, Unavailable
from connectors.model import Document, Unit
from connectors.notion.payloads import NotionComment
from connectors.notion.render.rich_text import markdown
from connectors.notion.settings import NotionConnection
from connectors.notion.source import NotionConnector, connect
from tests.connectors.notion.conftest import without_parts
from tests.emulators.notion import FILES, ORIGIN, Notion, Payload, block, refusal, under

DOWN = lambda: refusal(500, "internal_server_error")  # noqa: E731
HIDDEN = [
    (403, "restricted_resource"),
    (404, "object_not_found"),
    (400, "validation_error"),
]


def unit(unit_id: str) -> Unit:
    return Unit(unit_id, f"Title {unit_id}")


def contents(items: Iterable[Item]) -> dict[str, str]:
    documents = (item for item in items if isinstance(item, Document))
    return {one.id.removeprefix("notion:acme-notion/"): str(one.content) for one in documents}


def until_unavailable(items: Iterator[Item]) -> list[Item]:
    """What comes before the error."""
    found: list[Item] = []
    with pytest.raises(Unavailable):
        any(map(found.append, items))
    return found


def end(items: list[Item]) -> Checkpoint:
    assert isinstance(items[-1], Checkpoint)
    return items[-1]


@pytest.mark.parametrize(("status", "code"), HIDDEN)
@pytest.mark.parametrize("path", ["users", "comments"])
def test_pages_are_read_without_people_and_comments(
    notion: Notion, connector: NotionConnector, path: str, status: int, code: str
) -> None:
    notion.add_page("home")
    notion.answers[path] = lambda: refusal(status, code)
    assert contents(connector.read(unit("home"))) == {"home": "Body home"}


@pytest.mark.parametrize(("status", "code"), HIDDEN)
def test_what_a_block_does_not_show_leaves_the_rest_of_its_page(
    notion: Notion, connector: NotionConnector, status: int, code: str
) -> None:
    """Notion answers 400 for the children of blocks that its API does not support."""
    ai = {"id": "ai", "type": "ai_block", "ai_block": {}, "has_children": True}
    notion.add_page("home", None, block("paragraph", "above"), ai, block("paragraph", "below"))
    notion.answers["blocks/ai/children"] = lambda: refusal(status, code, "ai_block is not supported")
    document, checkpoint = without_parts(connector.read(unit("home")))
    assert isinstance(document, Document)
    assert document.content == "above\n\n<!-- unsupported: ai_block -->\n\nbelow"
    assert document.tags == ("unsupported:ai_block",)
    assert isinstance(checkpoint, Checkpoint)


def toggles_out_of_reach(notion: Notion, *pages: str, status: int = 404, code: str = "object_not_found") -> None:
    """Each page has a toggle, what is inside of which Notion does not show."""
    notion.add_page("home")
    for page in pages:
        inside = block("toggle", f"more of {page}", block("paragraph", f"inside of {page}"))
        notion.add_page(page, under("home"), inside)
        (own,) = notion.children[page]
        notion.answers[f"blocks/{own}/children"] = lambda: refusal(status, code)
    notion.wait(days=1)


@pytest.mark.parametrize(("status", "code"), HIDDEN[:2])
def test_what_is_inside_of_a_block_is_read_once_it_is_shown(
    notion: Notion, connection: NotionConnection, status: int, code: str
) -> None:
    """Nobody has to edit the page for it; until then it costs one request at each read, however many pages lack it."""
    toggles_out_of_reach(notion, "one", "two", status=status, code=code)
    cursor = None
    for _ in range(3):
        notion.log.clear()
        cursor = end(list(connect(connection, notion.transport()).read(unit("home"), cursor))).cursor
    assert len(notion.log) == 2, "search, and one block"
    notion.answers.clear()
    items = list(connect(connection, notion.transport()).read(unit("home"), cursor))
    assert contents(items) == {one: f"more of {one}\n\ninside of {one}" for one in ("one", "two")}
    notion.log.clear()
    assert contents(connect(connection, notion.transport()).read(unit("home"), end(items).cursor)) == {}
    assert len(notion.log) == 1


def test_a_page_without_the_block_that_was_not_shown_asks_for_nothing_more(
    notion: Notion, connection: NotionConnection
) -> None:
    toggles_out_of_reach(notion, "one")
    cursor = end(list(connect(connection, notion.transport()).read(unit("home")))).cursor
    notion.write("one", block("paragraph", "All is said here."))
    notion.wait(days=1)
    read = list(connect(connection, notion.transport()).read(unit("home"), cursor))
    assert contents(read) == {"one": "All is said here."}
    notion.log.clear()
    assert contents(connect(connection, notion.transport()).read(unit("home"), end(read).cursor)) == {}
    assert len(notion.log) == 1


def test_a_database_that_is_known_by_its_data_source_alone_is_read_once_it_is_shown(
    notion: Notion, connection: NotionConnection
) -> None:
    notion.add_page("home")
    notion.add_database("tasks", under("home"), says="To do")
    notion.answers["databases/tasks"] = lambda: refusal(404, "object_not_found")
    notion.wait(days=1)
    items = list(connect(connection, notion.transport()).read(unit("home")))
    without = contents(items)["tasks"]
    again = list(connect(connection, notion.transport()).read(unit("home"), end(items).cursor))
    assert contents(again) == {}
    notion.answers.clear()
    later = list(connect(connection, notion.transport()).read(unit("home"), end(again).cursor))
    assert contents(later) == {"tasks": "To do\n\nProperties: Name, Status"} != {"tasks": without}
    notion.log.clear()
    assert contents(connect(connection, notion.transport()).read(unit("home"), end(later).cursor)) == {}
    assert len(notion.log) == 1


@pytest.mark.parametrize(("status", "code"), HIDDEN)
def test_a_long_property_that_cannot_be_listed_keeps_its_first_values(
    notion: Notion, connector: NotionConnector, status: int, code: str
) -> None:
    notion.add_page("home")
    related: Payload = {"id": "rel", "type": "relation", "relation": [{"id": "home"}, None], "has_more": True}
    notion.add_page("page", under("home"), properties={"Part of": related})
    notion.answers["pages/page/properties/rel"] = lambda: refusal(status, code)
    assert contents(connector.read(unit("home")))["page"] == (
        "Part of: Title home (Notion told the first values only)\n\nBody page"
    )


@pytest.mark.parametrize(
    "value",
    [
        {"type": "people", "people": [None, {"object": "user", "id": "u-ada", "name": None}]},
        {
            "type": "rollup",
            "rollup": {"type": "array", "array": [None, {"type": "people", "people": [{"id": "u-ada"}]}]},
        },
    ],
)
def test_values_of_nothing_leave_those_beside_them(notion: Notion, connector: NotionConnector, value: Payload) -> None:
    notion.add_page("home", properties={"Who": value})
    assert contents(connector.read(unit("home"))) == {"home": "Who: Ada\n\nBody home"}


def a_database_beside_a_page(notion: Notion) -> None:
    notion.add_page("home")
    notion.add_database("tasks", under("home"), says="To do")
    notion.add_page("row", notion.row_parent("tasks-source"))
    notion.late.add("row")
    notion.add_page("page", under("home"))


def test_a_data_source_that_may_not_be_queried_leaves_the_unit_alone(
    notion: Notion, connector: NotionConnector
) -> None:
    a_database_beside_a_page(notion)
    for kind in ("data_sources", "databases"):
        notion.answers[f"{kind}/tasks-source/query"] = lambda: refusal(400, "validation_error", "linked")
    assert set(contents(connector.read(unit("home")))) == {"home", "tasks", "page"}


def test_a_data_source_that_fails_is_asked_again_by_the_next_read(
    notion: Notion, connection: NotionConnection, connector: NotionConnector
) -> None:
    a_database_beside_a_page(notion)
    notion.answers["data_sources/tasks-source/query"] = DOWN
    items = list(connector.read(unit("home")))
    assert set(contents(items)) == {"home", "tasks", "page"}
    assert not end(items).complete
    del notion.answers["data_sources/tasks-source/query"]
    fresh = connect(connection, notion.transport())
    assert set(contents(fresh.read(unit("home"), end(items).cursor))) == {"row"}


def lose_source(notion: Notion) -> None:
    """The address of the data source alone, not those of its database and its rows."""
    for path in ("data_sources/tasks-source", "data_sources/tasks-source/query"):
        notion.answers[path] = lambda: refusal(404, "object_not_found")


def test_a_data_source_that_its_own_address_does_not_know_is_read_as_search_shows_it(
    notion: Notion, connector: NotionConnector
) -> None:
    notion.add_page("home")
    notion.add_database("tasks", under("home"), says="To do")
    notion.add_page("row", notion.row_parent("tasks-source"))
    notion.edit("tasks-source")  # what was edited just now is asked for once more
    expected = {"home": "Body home", "tasks": "To do\n\nProperties: Name, Status", "row": "Body row"}
    lose_source(notion)
    assert contents(connector.read(unit("home"))) == expected


def test_a_database_of_which_no_data_source_is_found_has_failed_alone(
    notion: Notion, connector: NotionConnector
) -> None:
    """An event asks for it, without search: what it holds is there, as the database shows."""
    a_database_beside_a_page(notion)
    lose_source(notion)
    asked = [f"notion:acme-notion/{own}" for own in ("tasks", "row", "page")]
    items = list(connector.fetch(unit("home"), asked))
    assert set(contents(items)) == {"row", "page"}
    (failed,) = (item for item in items if isinstance(item, Failed))
    assert (failed.document_id, failed.hides) == (asked[0], False)
    assert failed.error == "data source tasks-source, which its database names: not found"
    notion.answers.clear()
    assert set(contents(connector.fetch(unit("home"), asked[:1]))) == {"tasks"}


def test_an_event_about_rows_that_cannot_be_listed_is_tried_again(notion: Notion, connector: NotionConnector) -> None:
    a_database_beside_a_page(notion)
    notion.answers["data_sources/tasks-source/query"] = DOWN
    with pytest.raises(Unavailable):
        list(connector.fetch(unit("home"), ["notion:acme-notion/tasks", "notion:acme-notion/tasks/below"]))


def test_a_page_in_a_database_that_notion_refuses_is_a_unit_of_its_own(
    notion: Notion, connector: NotionConnector
) -> None:
    """Older versions of the API refuse databases with several data sources."""
    notion.add_page("home")
    notion.add_page("row", under("several", "database"))
    several = "Databases with multiple data sources are not supported in this API version."
    notion.answers["databases/several"] = lambda: refusal(400, "validation_error", several)
    assert [one.id for one in connector.units()] == ["home", "row"]
    assert set(contents(connector.read(unit("row")))) == {"row"}


def test_a_page_of_which_the_container_fails_is_read_later(
    notion: Notion, connection: NotionConnection, connector: NotionConnector
) -> None:
    notion.add_page("home")
    notion.add_page("lost", under("away"))
    notion.add_page("page", under("home"))
    notion.answers["pages/away"] = DOWN
    assert [one.id for one in connector.units()] == ["home"]
    items = list(connector.read(unit("home")))
    assert (set(contents(items)), end(items).complete) == ({"home", "page"}, False)
    notion.wait(hours=2)
    notion.answers["pages/away"] = lambda: JSONResponse(
        {**notion.objects["home"], "id": "away", "parent": under("home")}
    )
    fresh = connect(connection, notion.transport())
    assert set(contents(fresh.read(unit("home"), end(items).cursor))) == {"lost"}


def test_a_container_that_fails_costs_what_is_in_it_and_nothing_else(
    notion: Notion, connector: NotionConnector
) -> None:
    """Many pages that need one other are one failure, and not a source that is down."""
    notion.add_page("home")
    for at in range(5):
        notion.add_page(f"lost{at}", under("away"))
    notion.add_page("page", under("home"))
    notion.answers["pages/away"] = DOWN
    assert [one.id for one in connector.units()] == ["home"]
    items = list(connector.read(unit("home")))
    assert (set(contents(items)), end(items).complete) == ({"home", "page"}, False)


def test_a_top_page_that_fails_leaves_the_other_units(notion: Notion, connector: NotionConnector) -> None:
    notion.add_page("home")
    notion.add_page("broken")  # edited within the hour: it is asked for
    notion.answers["pages/broken"] = DOWN
    assert [one.id for one in connector.units()] == ["broken", "home"]
    assert contents(connector.read(unit("home"))) == {"home": "Body home"}


def test_a_listing_that_tells_of_more_and_gives_no_way_to_it_is_not_complete(
    notion: Notion, connector: NotionConnector
) -> None:
    notion.add_page("home")
    notion.add_page("page", under("home"))
    told = {"object": "list", "results": [notion.objects["home"]], "has_more": True, "next_cursor": None}
    notion.answers["search"] = lambda: JSONResponse(told)
    items = list(connector.read(unit("home")))
    assert (set(contents(items)), end(items).complete) == ({"home"}, False)
    with pytest.raises(InvalidResponse):
        list(connector.listing(unit("home")))


def test_a_mentioned_link_is_shown_by_its_title() -> None:
    mention = {"type": "link_mention", "link_mention": {"href": "https://l.example", "title": "The roadmap"}}
    run = {"type": "mention", "mention": mention, "plain_text": "https://l.example", "href": "https://l.example"}
    assert markdown(NotionComment.model_validate({"rich_text": [run]}).rich_text) == "[The roadmap](https://l.example)"


def test_what_fails_is_asked_for_once_for_all_units(notion: Notion, connector: NotionConnector) -> None:
    for at in range(5):
        notion.add_page(f"top{at}")
    notion.add_page("lost", under("away"))
    notion.answers["pages/away"] = DOWN
    units = list(connector.units())
    attempts = notion.paths()["pages/away"]
    assert sum(len(contents(connector.read(one))) for one in units) == 5
    assert notion.paths()["pages/away"] == attempts


def test_an_event_asks_again_for_what_failed(notion: Notion, connector: NotionConnector) -> None:
    notion.add_page("home")
    notion.answers["pages/home"] = DOWN
    with pytest.raises(Unavailable):
        connector.unit_of("notion:acme-notion/home")
    del notion.answers["pages/home"]
    assert connector.unit_of("notion:acme-notion/home") == "home"


def test_a_read_that_a_server_cut_off_goes_on_from_its_last_checkpoint(
    notion: Notion, connection: NotionConnection, connector: NotionConnector
) -> None:
    notion.add_page("home")
    for at in range(30):
        notion.add_page(f"p{at}", under("home"))
    for at in range(22, 30):
        notion.answers[f"blocks/p{at}/children"] = DOWN
    items = until_unavailable(connector.read(unit("home")))
    failed = [one.document_id for one in items if isinstance(one, Failed)]
    assert failed == ["notion:acme-notion/p22", "notion:acme-notion/p23"]
    assert "blocks/p25/children" not in notion.paths()
    notion.answers.clear()
    checkpoint = [one for one in items if isinstance(one, Checkpoint)][-1]
    rest = connect(connection, notion.transport()).read(unit("home"), checkpoint.cursor)
    assert set(contents(items)) | set(contents(rest)) == {"home", *(f"p{at}" for at in range(30))}


def test_units_are_not_listed_while_top_pages_fail_one_after_the_other(
    notion: Notion, connector: NotionConnector
) -> None:
    notion.step = timedelta()  # all edited within the hour: each is asked for
    for at in range(9):
        notion.add_page(f"top{at}")
        notion.answers[f"pages/top{at}"] = DOWN
    with pytest.raises(Unavailable):
        list(connector.units())
    assert "pages/top3" not in notion.paths()


def test_a_host_of_files_that_is_down_ends_the_read(notion: Notion, connector: NotionConnector) -> None:
    notion.add_page("home")
    notion.answers["files"] = lambda: Response(status_code=503)
    kept = {"name": "a.txt", "file": {"url": f"{ORIGIN}{FILES}/a.txt?X-Amz-Signature=1"}}
    for at in range(4):
        notion.add_page(f"p{at}", under("home"), {"id": f"f{at}", "type": "file", "file": kept})
    items = until_unavailable(connector.read(unit("home")))
    failed = [one.document_id for one in items if isinstance(one, Failed)]
    assert failed == ["notion:acme-notion/p0/files/f0", "notion:acme-notion/p1/files/f1"]
    assert set(contents(items)) == {"home", "p0", "p1", "p2"}


def test_rows_that_could_not_be_listed_are_in_every_checkpoint_after(
    notion: Notion, connector: NotionConnector
) -> None:
    a_database_beside_a_page(notion)
    for at in range(25):
        notion.add_page(f"p{at}", under("home"))
    notion.answers["data_sources/tasks-source/query"] = DOWN
    cursors = [one.cursor for one in connector.read(unit("home")) if isinstance(one, Checkpoint)]
    assert [cursor["waiting"] for cursor in cursors] == [[["data_source", "tasks-source"]]] * 2
