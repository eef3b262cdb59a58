"""A page of Notion whose readers the settings name tells them no titles of pages that they may not open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from connectors.notion.settings import NotionConnection
from pipelines.settings import Settings
from tests.e2e.office import ADA, BOB, KEY, Office, office
from tests.emulators.notion import TOKEN, Notion, block, file_block, serving

SECRET = "Layoffs"


@pytest.fixture(scope="module")
def whole_layout() -> bool:
    return True


@pytest.fixture
def menu(settings: Settings) -> Iterator[Office]:
    """A page within a page of a page that Ada alone may open; itself, and the file on it, are Bob's as well."""
    notion = Notion()
    secret = notion.page(SECRET, block("paragraph", "A salary."))
    middle = notion.page(f"{SECRET} of May", under=secret)
    attached = file_block("file", notion.upload("lunch.txt", b"zebra pasta"))
    menu = notion.page("Menu", block("paragraph", "A zebra lunch."), attached, under=middle)
    notion.objects[secret]["url"] = address(secret)
    with serving(notion) as url:
        described = {"id": "no", "source": "notion", "token": TOKEN, "base_url": url}
        readers: dict[str, Any] = {"readers": (ADA,), "readers_by_page": {menu: (ADA, BOB)}}
        with office(settings, NotionConnection.model_validate({**described, **readers})) as opened:
            assert opened.sync() == {}
            yield opened


def address(page: str) -> str:
    """As Notion makes it of a page's title."""
    return f"https://www.notion.test/{SECRET}-{page.replace('-', '')}"


def ask(menu: Office, person: str, method: str, path: str, **asked: Any) -> httpx2.Response:
    accepted = {"Accept": "application/json, text/event-stream"}
    own = {"Authorization": f"Bearer {KEY}", "X-Headrace-User": person}
    return menu.client.request(method, path, headers=accepted | own, **asked)


def told(menu: Office, person: str) -> str:
    """All that somebody is told who looks around."""
    listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_sources", "arguments": {}}}
    found = ask(menu, person, "POST", "/v1/search", json={"query": "zebra"})
    document = ask(menu, person, "GET", f"/v1/documents/{found.json()['results'][0]['document_id']}")
    facets, sources = ask(menu, person, "GET", "/v1/facets"), ask(menu, person, "POST", "/mcp", json=listing)
    wrong = ask(menu, person, "POST", "/v1/search", json={"query": "zebra", "filters": {"parents_in": ["May"]}})
    assert [one.status_code for one in (found, document, facets, sources, wrong)] == [200] * 4 + [422]
    assert "Menu" in found.text
    return "".join(one.text for one in (found, document, facets, sources, wrong))


def test_who_may_open_one_page_reads_no_title_of_those_above_it(menu: Office) -> None:
    assert SECRET not in told(menu, BOB)
    assert SECRET in told(menu, ADA)


def test_nobody_finds_out_by_asking_for_it(menu: Office) -> None:
    (unit,) = {one["unit"] for one in menu.results("zebra", BOB)}

    def answers(person: str) -> list[int]:
        questions = ({"query": "zebra", "filters": {"units": [asked]}} for asked in (SECRET, address(unit), unit))
        return [ask(menu, person, "POST", "/v1/search", json=question).status_code for question in questions]

    assert (answers(BOB), answers(ADA)) == ([422, 422, 200], [200, 200, 200])
