"""What is known of the contents that are landed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.contract import LandedContent
from pipelines.catalog import Catalog, Outcome, RightsRead
from pipelines.catalog.outcomes import Readers

LANDED = Outcome(id="d1", status="pending", title="d1", version="v1", landed=True, content_key="k1")
READERS = ("user:ada@example.com",)
FAILED = Outcome(id="d1", status="failed", reason="boom")


def commit(catalog: Catalog, *outcomes: Outcome, readers: tuple[str, ...] = READERS) -> None:
    rights = RightsRead(changed={one.id: Readers(readers) for one in outcomes})
    catalog.commit_read(
        "acme",
        "a",
        outcomes,
        documents_path="x.parquet",
        unchanged=(),
        fingerprints={},
        listing=None,
        cursor=None,
        rights=rights,
    )


def test_what_is_landed_is_known_by_its_key(catalog: Catalog) -> None:
    commit(catalog, LANDED, replace(LANDED, id="d2", content_key=None))
    assert catalog.contents.find(["d1", "d2", "d3"]) == {"d1": LandedContent("k1", READERS)}


@pytest.mark.parametrize(
    "how", ["not chunked", "not read", "deleted", "hidden", "gone with its file", "in another unit"]
)
def test_what_is_not_as_it_should_be_is_not_known(catalog: Catalog, how: str) -> None:
    commit(catalog, LANDED)
    match how:
        case "not chunked":
            catalog.record_problems([replace(LANDED, status="failed")])
        case "not read":
            commit(catalog, FAILED)
        case "deleted":
            commit(catalog, replace(LANDED, status="deleted", version=None))
        case "hidden":
            catalog.rights.hide("acme", "a", ["d1"], "out of reach")
        case "gone with its file":
            catalog.restoring.forget_loads(catalog.restoring.loads())
        case _:
            catalog.rights.hand_over("acme", "a", "d1", "b")
    assert catalog.contents.find(["d1"]) == {}


@pytest.mark.parametrize(("content_key", "expected"), [("k1", ("user:eve@example.com",)), ("k2", READERS)])
def test_readers_are_those_of_the_content_that_they_were_told_for(
    catalog: Catalog, content_key: str, expected: tuple[str, ...]
) -> None:
    commit(catalog, LANDED)
    told = Readers(("user:eve@example.com",))
    rights = RightsRead(readers={"d1": told.tokens}, changed={"d1": told}, content_keys={"d1": content_key})
    catalog.commit_read(
        "acme",
        "a",
        (),
        documents_path=None,
        unchanged=["d1"],
        fingerprints={"d1": "f2"},
        listing=None,
        cursor=None,
        rights=rights,
    )
    state = catalog.documents.states(["d1"])["d1"]
    is_other = expected == READERS
    assert (state.readers, state.fingerprint) == (expected, None if is_other else "f2")
    assert rights.overtaken == ({"d1"} if is_other else set())
