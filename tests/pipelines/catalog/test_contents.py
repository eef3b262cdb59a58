"""What is known of the contents that are landed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from connectors.contract import LandedContent
from pipelines.catalog import Catalog, Outcome, RightsRead
from pipelines.catalog.outcomes import Readers
from pipelines.catalog.parents import record_parents

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


def tell_same(catalog: Catalog, content_key: str, readers: Readers) -> RightsRead:
    """As a read does that found the content to be the same."""
    read = RightsRead(readers={"d1": readers.tokens}, changed={"d1": readers}, content_keys={"d1": content_key})
    catalog.commit_read(
        "acme",
        "a",
        (),
        documents_path=None,
        unchanged=["d1"],
        fingerprints={"d1": "f2"},
        listing=None,
        cursor=None,
        rights=read,
    )
    return read


@pytest.mark.parametrize(("content_key", "expected"), [("k1", ("user:eve@example.com",)), ("k2", READERS)])
def test_readers_are_those_of_the_content_that_they_were_told_for(
    catalog: Catalog, content_key: str, expected: tuple[str, ...]
) -> None:
    commit(catalog, LANDED)
    read = tell_same(catalog, content_key, Readers(("user:eve@example.com",)))
    state = catalog.documents.states(["d1"])["d1"]
    is_other = expected == READERS
    assert (state.readers, state.fingerprint) == (expected, None if is_other else "f2")
    assert read.overtaken == ({"d1"} if is_other else set())


def test_nobody_lands_something_else_while_readers_are_let_in(
    catalog: Catalog, open_catalogs: Callable[[], Catalog], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at what is landed and the commit: another process waits."""
    commit(catalog, LANDED)
    other, landing = open_catalogs(), list[Future[None]]()

    def land_meanwhile(*arguments: Any) -> None:
        monkeypatch.undo()
        landing.append(pool.submit(commit, other, replace(LANDED, version="v2", content_key="k2")))
        with pytest.raises(TimeoutError):
            landing[0].result(timeout=0.5)
        record_parents(*arguments)

    monkeypatch.setattr("pipelines.catalog.rights.record_parents", land_meanwhile)
    with ThreadPoolExecutor(1) as pool:
        tell_same(catalog, "k1", Readers(("user:eve@example.com",)))
    state = catalog.documents.states(["d1"])["d1"]
    assert (state.readers, state.content_key) == (READERS, "k2")
