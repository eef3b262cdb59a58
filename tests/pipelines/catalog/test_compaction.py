"""Loads that are to be united, and the transaction in which they are, in both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from pipelines.catalog import Catalog, Outcome, Retention, tables
from pipelines.catalog.obsolete import mark_unseen
from tests.pipelines.catalog.test_retention import AT_ONCE, landed


def read(catalog: Catalog, *keys: str, unit: str = "a", version: str = "v1") -> None:
    """Each in a load of its own, which is indexed."""
    for key in keys:
        catalog.commit_read(
            "acme",
            unit,
            [landed(key, version)],
            documents_path=key,
            unchanged=(),
            fingerprints={},
            listing=None,
            cursor=None,
        )
    with catalog._engine.begin() as transaction:
        transaction.execute(update(tables.loads).values(state="indexed"))


def unite(catalog: Catalog, copied: dict[int, set[str]]) -> int | None:
    """The load that takes the place of others; None where it does not."""
    load = catalog.compaction.add("acme", "a", "united", 2, 10)
    return load if catalog.compaction.replace("acme", "a", copied, load, "chunks", 3) else None


def test_documents_move_to_the_load_that_has_them_and_leave_obsolete_rows(catalog: Catalog) -> None:
    read(catalog, "k", "m")
    assert catalog.compaction.units(2) == [("acme", "a")]
    assert catalog.compaction.units(3) == []
    load = unite(catalog, {1: {"k"}, 2: {"m"}})
    assert load
    assert catalog.documents.in_load(load).keys() == {"k", "m"}
    assert [(one.id, one.rows, one.bytes) for one in catalog.compaction.small_loads("acme", "a")] == [(load, 2, 10)]
    assert [one.id for one in catalog.obsolete.due(AT_ONCE)] == [1, 2]
    assert catalog.obsolete.documents_due(1, AT_ONCE) == {"k"}
    assert not catalog.obsolete.is_unseen(load)


@pytest.mark.parametrize("change", ["a newer version", "moved", "chunked anew", "looked through", "gone"])
def test_what_has_changed_since_it_was_copied_is_not_moved(catalog: Catalog, change: str) -> None:
    read(catalog, "k", "m")
    with catalog._engine.begin() as transaction:
        if change == "chunked anew":
            transaction.execute(update(tables.loads).where(tables.loads.c.id == 1).values(state="landed"))
        elif change == "looked through":
            mark_unseen(transaction, 1, AT_ONCE.superseded)
        elif change == "gone":
            transaction.execute(tables.loads.delete().where(tables.loads.c.id == 1))
    if change in ("a newer version", "moved"):
        read(catalog, "k", version="v2", unit="b" if change == "moved" else "a")
    states = catalog.documents.states(["k", "m"])
    assert unite(catalog, {1: {"k"}, 2: {"m"}}) is None
    assert catalog.documents.states(["k", "m"]) == states
    due = catalog.obsolete.due(Retention.at(AT_ONCE.superseded, superseded_days=0, deleted_days=0))
    assert 2 not in {one.id for one in due}


def test_a_tombstone_moves_too(catalog: Catalog) -> None:
    read(catalog, "k", "m")
    gone = Outcome(id="m", status="deleted", landed=True)
    catalog.commit_read(
        "acme", "a", [gone], documents_path="gone", unchanged=(), fingerprints={}, listing=None, cursor=None
    )
    with catalog._engine.begin() as transaction:
        transaction.execute(update(tables.loads).values(state="indexed"))
    load = unite(catalog, {1: {"k"}, 3: {"m"}})
    assert load
    assert catalog.documents.states(["m"])["m"].load == load
    with catalog._engine.connect() as transaction:
        rows = transaction.execute(tables.obsolete_rows.select().where(tables.obsolete_rows.c.load.in_((1, 3))))
        assert {(row.load, row.document, row.deleted) for row in rows} == {(1, "k", False), (3, "m", True)}
