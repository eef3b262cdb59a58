"""Documents by id, and by URLs as people copy them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from connectors.model import Unit
from pipelines.catalog import Catalog, Outcome, open_catalog
from pipelines.catalog.lookup import present_spellings, resolve, resolve_ids, spellings
from pipelines.settings import Settings

PAGE = "https://example.com/page"
FILE = "1ZIChpZeYTt5KLQSopF3sAI6TRfoZpLw2"
NOTION = "notion:acme/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
DOCUMENTS = {
    f"drive:acme/{FILE}": f"https://docs.google.com/document/d/{FILE}/edit?usp=drivesdk",
    "github:acme/acme/api/wiki/How-we-release-firmware": "https://github.com/acme/api/wiki/How-we-release-firmware",
    NOTION: "https://app.notion.com/p/0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "notion:a": PAGE,
    "notion:gone": f"{PAGE}?v=1",
    "notion:z": f"{PAGE}?v=1",
    "slack:c": f"{PAGE}/c/#1",
    "slack:acme/C1A/threads/1700000000.000100": "https://acme.slack.com/archives/C1A/p1700000000000100",
    "slack:acme/C1A/days/2023-11-14": "https://acme.slack.com/archives/C1A/p1699999000000100",
    "slack:acme/C1A/files/F0AB": "https://acme.slack.com/files/U1/F0AB/plan.pdf",
}
THREAD, DAY = "slack:acme/C1A/threads/1700000000.000100", "slack:acme/C1A/days/2023-11-14"
SLACK = "https://acme.slack.com"


@pytest.fixture
def catalog(settings: Settings) -> Iterator[Catalog]:
    outcomes = [
        Outcome(id=name, url=url, status="deleted" if name == "notion:gone" else "pending")
        for name, url in DOCUMENTS.items()
    ]
    with open_catalog(settings) as opened:
        record(opened, "unit", outcomes)
        yield opened


def record(catalog: Catalog, unit: str, outcomes: list[Outcome]) -> None:
    nothing: dict[str, Any] = {"documents_path": None, "listing": None, "cursor": None}
    catalog.commit_read("acme", unit, outcomes, unchanged=[], fingerprints={}, **nothing)


@pytest.mark.parametrize(
    ("spelling", "found"),
    [
        ("notion:a", ["notion:a"]),
        (" notion:a\n", ["notion:a"]),
        (PAGE, ["notion:a"]),
        (f"{PAGE}/", ["notion:a"]),
        (f"{PAGE}#heading", ["notion:a"]),
        (f"{PAGE}?pvs=4#heading", ["notion:a"]),
        (f"{PAGE}/?pvs=4", ["notion:a"]),
        (f"{PAGE}?v=1", ["notion:z", "notion:gone"]),
        (f"{PAGE}/c/#1", ["slack:c"]),
        (f"{PAGE}/c", []),
        ("notion:b", []),
        ("https://[half", []),
        ("", []),
        (f"https://docs.google.com/document/d/{FILE}/edit?tab=t.0", [f"drive:acme/{FILE}"]),
        (f"https://drive.google.com/file/d/{FILE.lower()}/view", []),
        ("https://www.notion.so/acme/A-Plan-0f1e2d3c4b5a69788796a5b4c3d2e1f0?pvs=4", [NOTION]),
        ("https://www.notion.so/0f1e2d3c4b5a69788796a5b4c3d2e1f0", [NOTION]),
        ("https://www.notion.so/acme/A-Plan-0f1e2d3c4b5a69788796a5b4c3d2e1f1", []),
        ("https://github.com/acme/other/wiki/How-we-release-firmware", []),
        ("https://example.com/%/_______________________", []),
        (f"https://drive.google.com/open?id={FILE}", [f"drive:acme/{FILE}"]),
        (f"https://drive.google.com/open?usp=drive_copy&id={FILE}", [f"drive:acme/{FILE}"]),
        (f"https://drive.google.com/uc?export=download&id={FILE}", [f"drive:acme/{FILE}"]),
        (f"https://drive.google.com/a/acme.com/file/d/{FILE}/view?resourcekey=0-a", [f"drive:acme/{FILE}"]),
        (f"https://docs.google.com/document/u/1/d/{FILE}/edit#heading=h.1", [f"drive:acme/{FILE}"]),
        (
            "https://www.notion.so/acme/Board-1f1e2d3c4b5a69788796a5b4c3d2e1f0?p=0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            [NOTION],
        ),
        (f"{SLACK}/archives/C1A/p1700000000000100", [THREAD]),
        (f"{SLACK}/archives/C1A/p1700000100000200?thread_ts=1700000000.000100&cid=C1A", [THREAD]),
        (f"{SLACK}/archives/C1A/p1699999500000300", [DAY]),
        (f"{SLACK}/archives/C1B/p1699999500000300", []),
        (f"{SLACK}/archives/C1A", []),
        ("https://app.slack.com/client/T1/C1A/thread/C1A-1700000000.000100", [THREAD]),
        (f"{SLACK}/files/U2/F0AB/renamed.pdf", ["slack:acme/C1A/files/F0AB"]),
        (f"{SLACK}/docs/T1/F0AB", ["slack:acme/C1A/files/F0AB"]),
        (f"<{PAGE}>", ["notion:a"]),
        (f" <{PAGE}#heading|a page> ", ["notion:a"]),
        ("example.com/page", ["notion:a"]),
        ("https://www.example.com/page", ["notion:a"]),
        ("www.example.com/page", ["notion:a"]),
        ("github.com/acme/api/wiki/How-we-release-firmware", ["github:acme/acme/api/wiki/How-we-release-firmware"]),
        (f"<{SLACK.removeprefix('https://')}/archives/C1A/p1700000000000100>", [THREAD]),
    ],
)
def test_a_document_is_found_by_what_people_have_at_hand(catalog: Catalog, spelling: str, found: list[str]) -> None:
    assert [row["id"] for row in resolve(catalog, spelling)] == found


def test_many_are_looked_up_together(catalog: Catalog) -> None:
    catalog.units.replace_listing("acme", "drive", [Unit("unit", "unit")])
    asked = ["notion:a", f"{PAGE}/#x", f"{PAGE}?v=1", "https://example.com/none", "github:none"]
    asked.append(f"https://docs.google.com/document/d/{FILE}")
    assert resolve_ids(catalog, asked) == {
        "notion:a": ("notion:a",),
        f"{PAGE}/#x": ("notion:a",),
        f"{PAGE}?v=1": ("notion:z", "notion:gone"),
        f"https://docs.google.com/document/d/{FILE}": (f"drive:acme/{FILE}",),
    }


def test_a_unit_that_is_gone_costs_the_others_no_queries_of_their_own(catalog: Catalog) -> None:
    catalog.units.replace_listing("acme", "github", [LISTED_BY_NAME])
    record(catalog, "acme/api", [Outcome(id="github:acme/acme/api/issues/3", url=f"{SITE}/3", status="indexed")])
    catalog.units.replace_listing("acme", "github", [API])
    statements: list[str] = []
    event.listen(catalog._engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))

    def cost(names: list[str]) -> int:
        statements.clear()
        assert len(resolve_ids(catalog, names)) == len(names)
        return len(statements)

    assert cost([*DOCUMENTS.keys() - {"notion:gone"}]) == cost(["notion:a"])
    assert cost([f"{SITE}/3", "notion:a"]) > cost(["notion:a"]), "what is gone alone is looked for everywhere"


def test_an_id_has_one_spelling() -> None:
    assert spellings("github:acme/acme/api#1?") == ["github:acme/acme/api#1?"]


SITE = "https://github.test"
API, NEWER, LISTED_BY_NAME = Unit("77", "mills/water"), Unit("99", "acme/api"), Unit("acme/api", "acme/api")


def unit_at(unit: Unit) -> Unit:
    return replace(unit, url=f"{SITE}/{unit.name}")


@pytest.fixture
def renamed(catalog: Catalog) -> Catalog:
    """Repository 77 was `acme/api`, which is the name of another one now; documents of both, as they were last read.

    Before, units had their name for an id: one such is left.
    """
    for listed in ([LISTED_BY_NAME], [replace(API, name="acme/api")], [API, NEWER]):
        catalog.units.replace_listing("acme", "github", map(unit_at, listed))
    for unit, names in ((API, ("issues/3", "blob/a.md")), (NEWER, ("issues/1",)), (LISTED_BY_NAME, ("issues/3",))):
        found = [
            Outcome(id=f"github:acme/{unit.id}/{n}", url=f"{SITE}/{unit.name}/{n}", status="indexed") for n in names
        ]
        record(catalog, unit.id, found)
    record(catalog, API.id, [Outcome(id="github:acme/77/pull/8", url="https://elsewhere.test/8", status="indexed")])
    return catalog


@pytest.mark.each_value
@pytest.mark.parametrize(
    ("spelling", "found"),
    [
        ("github:acme/77/issues/3", ["github:acme/77/issues/3"]),
        ("github:acme/mills/water/issues/3", ["github:acme/77/issues/3"]),
        ("github:acme/acme/api/issues/3", ["github:acme/77/issues/3"]),
        ("github:acme/Acme/API/issues/3", ["github:acme/77/issues/3"]),
        ("github:acme/acme/api/blob/a.md", ["github:acme/77/blob/a.md"]),
        ("github:acme/acme/api/issues/1", ["github:acme/99/issues/1"]),
        (f"{SITE}/mills/water/pull/8/files#diff-1", ["github:acme/77/pull/8"]),
        (f"{SITE}/mills/water/issues/8", ["github:acme/77/pull/8"]),
        (f"{SITE}/mills/water/pull/3/commits/0a1b", ["github:acme/77/issues/3"]),
        (f"{SITE}/mills/water/blob/main/a.md?plain=1#L3-L9", ["github:acme/77/blob/a.md"]),
        (f"{SITE}/mills/water/blame/feature/x/a.md", ["github:acme/77/blob/a.md"]),
        (f"{SITE}/mills/water/edit/main/b.md", []),
        ("github:acme/acme/api/issues/7", []),
        ("github:other/acme/api/issues/3", []),
        ("slack:acme/acme/api/issues/3", []),
        ("github:acme/acme/ap/issues/3", []),
        (f"{SITE}/acme/api/blob/a.md", ["github:acme/77/blob/a.md"]),
        (f"{SITE}/acme/api/blob/a.md?plain=1#L3", ["github:acme/77/blob/a.md"]),
        (f"{SITE}/acme/API/blob/a.md", ["github:acme/77/blob/a.md"]),
        (f"{SITE}/acme/api/issues/1", ["github:acme/99/issues/1"]),
        (f"{SITE}/mills/water/issues/3", ["github:acme/77/issues/3"]),
        (f"{SITE}/mills/water/pull/8", ["github:acme/77/pull/8"]),
        (f"{SITE}/acme/api/pull/8", ["github:acme/77/pull/8"]),
        (f"{SITE}/acme/ap/issues/3", []),
    ],
)
def test_a_former_name_leads_to_its_unit(renamed: Catalog, spelling: str, found: list[str]) -> None:
    """The unit that has the name now comes first, as long as it has such a document."""
    assert [row["id"] for row in resolve(renamed, spelling)] == found
    assert resolve_ids(renamed, [spelling]) == ({spelling: tuple(found)} if found else {})


@pytest.mark.parametrize("status", ["indexed", "deleted"])
def test_what_is_past_is_found_where_nothing_else_is_meant(catalog: Catalog, status: Any) -> None:
    """A unit that is gone, or a document that is deleted, can still be explained."""
    catalog.units.replace_listing("acme", "github", [LISTED_BY_NAME])
    record(catalog, "acme/api", [Outcome(id="github:acme/acme/api/issues/3", url=f"{SITE}/3", status=status)])
    catalog.units.replace_listing("acme", "github", [API])
    for spelling in ("github:acme/acme/api/issues/3", f"{SITE}/3"):
        assert [row["id"] for row in resolve(catalog, spelling)] == ["github:acme/acme/api/issues/3"]
        assert resolve_ids(catalog, [spelling]) == {spelling: ("github:acme/acme/api/issues/3",)}


def test_the_unit_that_has_a_name_now_comes_before_one_that_had_it(renamed: Catalog) -> None:
    old = "github:acme/acme/api/issues/3"
    expected = [f"github:acme/{unit}/issues/3" for unit in ("99", "77", "acme/api")]
    assert list(present_spellings(renamed.unit_names, old)) == expected
    assert list(present_spellings(renamed.unit_names, "github:acme/99/issues/3")) == []
