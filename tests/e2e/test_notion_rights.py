"""Pages whose content waits: what is taken away from them, and from what is below them, counts all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Literal

import pytest

from connectors.notion.settings import NotionConnection
from pipelines.ingestion.options import SyncOptions
from pipelines.settings import Settings
from tests.e2e.office import ADA, BOB, Office, office
from tests.emulators.notion import TOKEN, VERIFICATION_TOKEN, Notion, block, broken_gateway, file_block, serving

RECONCILE = SyncOptions(mode="reconcile")
CONNECTION = {"id": "no", "source": "notion", "token": TOKEN, "webhook_secret": VERIFICATION_TOKEN}


@dataclass
class Handbook:
    """A page that everybody reads, with a page, its child and grandchild below it; two places are Ada's alone."""

    notion: Notion
    office: Office
    top: str
    page: str
    child: str
    grandchild: str
    box: str
    closed: str


@pytest.fixture
def handbook(settings: Settings) -> Iterator[Handbook]:
    notion = Notion()
    top, closed = (notion.page(name, block("paragraph", "A zebra.")) for name in ("Open", "Closed"))
    box = notion.page("Box", under=top)
    attached = file_block("file", notion.upload("salaries.txt", b"zebra salaries"))
    page = notion.page("Page", block("paragraph", "A zebra."), attached, under=top)
    child = notion.page("Child", block("paragraph", "A zebra."), under=page)
    grandchild = notion.page("Grandchild", block("paragraph", "A zebra."), under=child)
    readers = {"readers": (ADA, BOB), "readers_by_page": {box: (ADA,), closed: (ADA,)}}
    with serving(notion) as url:
        connection = NotionConnection.model_validate({**CONNECTION, **readers, "base_url": url})
        with office(settings, connection) as opened:
            assert opened.sync() == {}
            yield Handbook(notion, opened, top, page, child, grandchild, box, closed)


def busy(handbook: Handbook) -> ExitStack:
    stack = ExitStack()
    stack.enter_context(handbook.office.services.catalog.leases.hold("no", handbook.top))
    return stack


def paused(handbook: Handbook, unit: str = "") -> ExitStack:
    handbook.office.pause(unit)
    return ExitStack()


WAITS: dict[str, Callable[[Handbook], ExitStack]] = {
    "connection paused": paused,
    "unit paused": lambda handbook: paused(handbook, handbook.top),
    "unit busy": busy,
}
LOSSES: dict[str, tuple[str, Callable[[Handbook], None], set[str]]] = {
    "trashed": ("page.deleted", lambda handbook: handbook.notion.trash(handbook.page), set()),
    "moved": (
        "page.moved",
        lambda handbook: handbook.notion.move(handbook.page, handbook.box),
        {"Page", "Child", "Grandchild", "salaries.txt"},
    ),
    "moved to another unit": (
        "page.moved",
        lambda handbook: handbook.notion.move(handbook.page, handbook.closed),
        set(),
    ),
}


@pytest.mark.one_case
@pytest.mark.each_value
@pytest.mark.parametrize("waits", WAITS.values(), ids=WAITS)
@pytest.mark.parametrize(("kind", "lose", "kept"), LOSSES.values(), ids=LOSSES)
def test_what_is_below_a_page_and_its_files_are_lost_with_it(
    handbook: Handbook,
    kind: str,
    lose: Callable[[Handbook], None],
    kept: set[str],
    waits: Callable[[Handbook], ExitStack],
) -> None:
    everything = {"Open", "Page", "Child", "Grandchild", "salaries.txt"}
    assert handbook.office.found("zebra", BOB) == everything
    with waits(handbook):
        lose(handbook)
        handbook.office.deliver(handbook.notion.delivery(kind, handbook.page))
        assert handbook.office.found("zebra", BOB) == {"Open"}
        assert handbook.office.found("zebra", ADA) == {"Open", "Closed", *kept}


@pytest.mark.one_case
@pytest.mark.each_value
@pytest.mark.parametrize("target", ["paused", "down", "missing"])
@pytest.mark.parametrize("scheduled", [False, True])
def test_a_page_that_moved_without_an_event_is_lost_although_its_new_unit_is_not_read(
    handbook: Handbook, target: Literal["paused", "down", "missing"], scheduled: bool
) -> None:
    """With all that is below it, by what search says of its parent."""
    opened, notion = handbook.office, handbook.notion
    notion.wait(hours=3)
    notion.move(handbook.page, handbook.closed)
    if target == "paused":
        opened.pause(handbook.closed)
    else:
        notion.refuse("blocks", target)
    opened.sync(SyncOptions(scheduled=scheduled))
    assert opened.found("zebra", BOB) == {"Open"}
    notion.allow("blocks")
    opened.services.catalog.units.pause("no", handbook.closed, False)
    assert opened.sync() == {}
    assert opened.found("zebra", BOB) == {"Open"}
    assert opened.found("zebra", ADA) == {"Open", "Closed", "Page", "Child", "Grandchild", "salaries.txt"}


def test_a_page_that_is_not_in_the_trash_after_all_is_found_again_with_all_below(handbook: Handbook) -> None:
    opened = handbook.office
    before = opened.found("zebra", BOB)
    opened.pause()
    opened.deliver(handbook.notion.delivery("page.deleted", handbook.page))
    assert before - opened.found("zebra", BOB) == {"Page", "Child", "Grandchild", "salaries.txt"}
    opened.services.catalog.connections.pause("no", False)
    opened.worker.run_pass()
    assert opened.found("zebra", BOB) == before


@pytest.mark.one_case
@pytest.mark.parametrize(("kind", "lose"), [one[:2] for one in LOSSES.values()], ids=LOSSES)
def test_what_is_below_a_page_is_lost_without_a_request_for_each(
    handbook: Handbook, kind: str, lose: Callable[[Handbook], None]
) -> None:
    lose(handbook)
    asked = len(handbook.notion.log)
    handbook.office.deliver(handbook.notion.delivery(kind, handbook.page))
    assert handbook.office.found("zebra", BOB) == {"Open"}
    assert not [one for one in handbook.notion.log[asked:] if handbook.child in one]


def test_what_stands_in_a_page_out_of_reach_is_for_those_alone_whom_all_entries_name(handbook: Handbook) -> None:
    """No more is known of what the page stands in: it may be a place that is Ada's alone."""
    handbook.notion.sealed.add(handbook.page)
    handbook.office.sync(RECONCILE)
    assert handbook.office.found("zebra", BOB) == {"Open"}
    assert handbook.office.found("zebra", ADA) == {"Open", "Closed", "Child", "Grandchild"}


def test_of_a_page_out_of_reach_what_has_left_it_before_is_found_again(handbook: Handbook) -> None:
    """No event told of the grandchild's move, and Notion names nothing that is below a page out of reach."""
    handbook.notion.move(handbook.grandchild, handbook.top)
    handbook.notion.sealed.update((handbook.page, handbook.child))
    handbook.office.deliver(handbook.notion.delivery("page.moved", handbook.page))
    assert handbook.office.found("zebra", ADA) == {"Open", "Closed"}
    handbook.office.worker.run_pass()
    assert handbook.office.found("zebra", ADA) == {"Open", "Closed", "Grandchild"}


@dataclass
class Narrowing:
    """A page that two people find, with one below it, as settings that name fewer come into force."""

    notion: Notion
    url: str
    salaries: str
    settings: Settings

    def office(self, **readers: object) -> AbstractContextManager[Office]:
        described = {**CONNECTION, "base_url": self.url, "readers": (ADA, BOB), **readers}
        return office(self.settings, NotionConnection.model_validate(described))


@pytest.fixture
def narrowing(settings: Settings) -> Iterator[Narrowing]:
    notion = Notion()
    top = notion.page("Handbook", block("paragraph", "A zebra."))
    salaries = notion.page("Salaries", block("paragraph", "A zebra."), under=top)
    with serving(notion) as url:
        narrowing = Narrowing(notion, url, salaries, settings)
        with narrowing.office() as before:
            before.sync()
            assert before.found("zebra", BOB) == {"Handbook", "Salaries"}
        yield narrowing


@pytest.mark.one_case
@pytest.mark.parametrize("by_page", [False, True], ids=["readers", "readers_by_page"])
def test_readers_that_the_settings_no_longer_name_find_nothing_from_then_on(
    narrowing: Narrowing, by_page: bool
) -> None:
    fewer: dict[str, object] = {"readers_by_page": {narrowing.salaries: (ADA,)}} if by_page else {"readers": (ADA,)}
    kept = {"Handbook"} if by_page else set()
    with narrowing.office(**fewer) as after:
        assert (after.found("zebra", BOB), after.found("zebra", ADA)) == (set(), {"Handbook", "Salaries"})
        narrowing.notion.fail(2, broken_gateway)
        assert after.sync() != {}
        assert (after.found("zebra", BOB), after.found("zebra", ADA)) == (set(), {"Handbook", "Salaries"})
        narrowing.notion.faults.clear()
        assert after.sync() == {}
        assert (after.found("zebra", BOB), after.found("zebra", ADA)) == (kept, {"Handbook", "Salaries"})


def test_other_units_take_nothing_away(narrowing: Narrowing) -> None:
    """What the settings say of units is recorded beside what they say of readers, and is no reason to read anew."""
    by_page = {"readers_by_page": {narrowing.salaries: (ADA,)}}
    with narrowing.office(**by_page) as before:
        before.sync()
    with narrowing.office(**by_page, exclude=("Other",)) as after:
        after.sync()
        assert (after.found("zebra", BOB), after.found("zebra", ADA)) == ({"Handbook"}, {"Handbook", "Salaries"})
