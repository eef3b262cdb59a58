"""Documents by id, and by URLs as people copy them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipelines.catalog import Outcome, open_catalog
from pipelines.catalog.documents import Documents
from pipelines.catalog.lookup import resolve, resolve_ids, spellings
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
}


@pytest.fixture
def documents(settings: Settings) -> Iterator[Documents]:
    outcomes = [
        Outcome(id=name, url=url, status="deleted" if name == "notion:gone" else "pending")
        for name, url in DOCUMENTS.items()
    ]
    with open_catalog(settings) as catalog:
        catalog.commit_read(
            "acme", "unit", outcomes, documents_path=None, unchanged=[], fingerprints={}, listing=None, cursor=None
        )
        yield catalog.documents


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
    ],
)
def test_a_document_is_found_by_what_people_have_at_hand(documents: Documents, spelling: str, found: list[str]) -> None:
    assert [row["id"] for row in resolve(documents, spelling)] == found


def test_many_are_looked_up_together(documents: Documents) -> None:
    asked = ["notion:a", f"{PAGE}/#x", f"{PAGE}?v=1", "https://example.com/none", "github:none"]
    asked.append(f"https://docs.google.com/document/d/{FILE}")
    assert resolve_ids(documents, asked) == {
        "notion:a": ("notion:a",),
        f"{PAGE}/#x": ("notion:a",),
        f"{PAGE}?v=1": ("notion:gone", "notion:z"),
        f"https://docs.google.com/document/d/{FILE}": (f"drive:acme/{FILE}",),
    }


def test_an_id_has_one_spelling() -> None:
    assert spellings("github:acme/acme/api#1?") == ["github:acme/acme/api#1?"]
