"""`headrace explain` as it is called."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.pipelines.cli.conftest import Done
from tests.pipelines.documents import document

VALVE, TURBINE = document(1).id, document(2).id


def test_people_read_why_a_document_is_found_and_visible(headrace: Callable[..., Done]) -> None:
    done = headrace("explain", VALVE, "--user", "bo@example.com", "--query", "penstock valve")
    assert done.code == 0
    told = [(line[:11].strip(), line[12:]) for line in done.out.splitlines()]
    assert ("document", f"Issue 1  {VALVE}") in told
    assert ("status", "indexed") in told
    assert [(name, state) for name, state in told if name in ("documents", "chunks", "vectors", "retrieval")] == [
        ("documents", "done"),
        ("chunks", "done"),
        ("vectors", "done"),
        ("retrieval", "done"),
        ("chunks", "1 indexed, 1 published"),
    ]
    assert ("readers", "group Plant (group:acme:unit)") in told
    assert ("visibility", "visible to bo@example.com through group Plant (group:acme:unit)") in told
    assert [text for name, text in told if name == "rank"] == [
        "1 for 'penstock valve' (1 by meaning, 1 by words), asked as an administrator",
        "1 for 'penstock valve' (1 by meaning, 1 by words), asked as bo@example.com",
    ]
    (unit,) = (text for name, text in told if name == "unit")
    assert unit.startswith("acme/unit (Plant); last sync 20")


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ((VALVE, "--user", "noor@example.com"), "not visible to noor@example.com: neither they nor one of their"),
        ((TURBINE, "--user", "noor@example.com"), "visible to noor@example.com as to everybody"),
        (
            (VALVE, "--user", "noor@example.com", "--query", "valve"),
            "not among the first 100 for 'valve', asked as noor",
        ),
        (("github:acme/broken",), "failed: answered 500"),
        (("github:acme/broken",), "attempt 2 at 20"),
        (
            ("github:acme/broken", "--user", "noor@example.com"),
            "not visible to noor@example.com: nothing of it is",
        ),
        (("https://example.com/2",), "[b]Turbine"),
        (("github:acme/broken",), "read none, indexed none, published none"),
    ],
)
def test_why_it_is_not_found_or_visible(headrace: Callable[..., Done], asked: tuple[str, ...], line: str) -> None:
    done = headrace("explain", *asked)
    assert (done.code, line in done.out) == (0, True)


def test_programs_read_one_object(headrace: Callable[..., Done]) -> None:
    found = headrace("explain", VALVE, "--user", "bo@example.com", "--query", "penstock", "--json").json
    assert (found["id"], found["load_state"], found["home"]["name"]) == (VALVE, "indexed", "Plant")
    assert found["sight"]["through"] == [{"token": "group:acme:unit", "way": "group", "name": "Plant"}]
    assert [(one["user"], one["rank"]) for one in found["ranks"]] == [(None, 1), ("bo@example.com", 1)]
    assert found["published"][0]["position"] == 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("https://example.com/never",), "no connection has named a document with this id or URL"),
        ((VALVE, "--query", " "), "--query: String should have at least 1 character"),
    ],
)
def test_wrong_use_is_named(headrace: Callable[..., Done], asked: tuple[str, ...], said: str) -> None:
    done = headrace("explain", *asked)
    assert (done.code, done.out, said in done.err) == (2, "", True)
