"""Documents by id, and by URLs as people copy them."""

from __future__ import annotations

import pytest

from pipelines.catalog import Outcome, open_catalog
from pipelines.catalog.lookup import ids_of, looked_up, spellings

PAGE = "https://example.com/page"
DOCUMENTS = {"notion:a": PAGE, "notion:gone": f"{PAGE}?v=1", "notion:z": f"{PAGE}?v=1", "slack:c": f"{PAGE}/c/#1"}


@pytest.fixture
def documents(settings):
    outcomes = [
        Outcome(id=name, url=url, status="deleted" if name == "notion:gone" else "pending")
        for name, url in DOCUMENTS.items()
    ]
    with open_catalog(settings) as catalog:
        nothing = {"documents_path": None, "unchanged": [], "marks": {}, "listing": None, "cursor": None}
        catalog.commit_read("acme", "unit", outcomes, **nothing)
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
    ],
)
def test_a_document_is_found_by_what_people_have_at_hand(documents, spelling, found):
    assert [row["id"] for row in looked_up(documents, spelling)] == found


def test_many_are_looked_up_together(documents):
    asked = ["notion:a", f"{PAGE}/#x", f"{PAGE}?v=1", "https://example.com/none", "github:none"]
    assert ids_of(documents, asked) == {
        "notion:a": ("notion:a",),
        f"{PAGE}/#x": ("notion:a",),
        f"{PAGE}?v=1": ("notion:gone", "notion:z"),
    }


def test_an_id_has_one_spelling():
    assert spellings("github:acme/acme/api#1?") == ["github:acme/acme/api#1?"]
