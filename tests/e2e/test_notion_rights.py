"""Pages whose content waits: what is taken away from them, and from what is below them, counts all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from connectors.notion.settings import NotionConnection
from pipelines.settings import Settings
from tests.e2e.office import ADA, BOB, Office, office
from tests.emulators.notion import TOKEN, VERIFICATION_TOKEN, Notion, block, file_block, serving


@dataclass
class Handbook:
    """A page that everybody reads, with a page, its child and grandchild below it; two places are Ada's alone."""

    notion: Notion
    office: Office
    top: str
    page: str
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
    notion.page("Grandchild", block("paragraph", "A zebra."), under=child)
    described = {"id": "no", "source": "notion", "token": TOKEN, "webhook_secret": VERIFICATION_TOKEN}
    readers = {"readers": (ADA, BOB), "readers_by_page": {box: (ADA,), closed: (ADA,)}}
    with serving(notion) as url:
        connection = NotionConnection.model_validate({**described, **readers, "base_url": url})
        with office(settings, connection) as opened:
            assert opened.sync() == {}
            yield Handbook(notion, opened, top, page, box, closed)


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
