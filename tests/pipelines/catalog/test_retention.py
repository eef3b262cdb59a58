"""What nothing needs any more, and what is purged, in both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import import_module

import numpy as np
from sqlalchemy import text, update

from connectors.webhooks import Event, Invalidation
from pipelines.catalog import Catalog, Outcome, Retention, tables
from pipelines.catalog.documents import Indexed


def commit(catalog: Catalog, *outcomes: Outcome, unit: str = "a") -> None:
    catalog.commit_read(
        "acme", unit, outcomes, documents_path="x", unchanged=(), fingerprints={}, listing=None, cursor=None
    )


def landed(key: str, version: str = "v1") -> Outcome:
    return Outcome(id=key, status="pending", title=key, version=version, landed=True)


def test_loads_of_before_whose_rows_may_be_obsolete_are_to_be_looked_through(catalog: Catalog) -> None:
    commit(catalog, landed("k"), landed("m"))
    commit(catalog, landed("k", "v2"))
    migration = import_module("pipelines.catalog.migrations.versions.0005_obsolete_rows")
    with catalog._engine.begin() as connection:
        connection.execute(tables.obsolete_rows.delete())
        connection.execute(text(migration.LOADS_WITH_OBSOLETE_ROWS), {"deleted": True})
        (row,) = connection.execute(tables.obsolete_rows.select())
    assert (row.load, row.document) == (1, "")
    assert catalog.obsolete.is_unseen(1)
    catalog.obsolete.record_seen(1, ["k", "m", "known to nobody"], datetime.now(UTC))
    assert not catalog.obsolete.is_unseen(1)
    assert catalog.obsolete.documents_due(1, AT_ONCE) == {"k"}


AT_ONCE = Retention(datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def test_rows_become_obsolete_with_what_makes_them_so(catalog: Catalog) -> None:
    commit(catalog, landed("k"), landed("m"))
    commit(catalog, landed("k", "v2"))
    commit(catalog, Outcome(id="m", status="deleted", landed=True))
    (first,) = catalog.obsolete.due(AT_ONCE)
    assert catalog.obsolete.documents_due(first.id, AT_ONCE) == {"k", "m"}
    now = datetime.now(UTC)
    keeping_deleted = Retention.at(now, superseded_days=0, deleted_days=1)
    assert catalog.obsolete.documents_due(first.id, keeping_deleted) == {"k"}
    keeping_superseded = Retention.at(now, superseded_days=1, deleted_days=0)
    assert catalog.obsolete.documents_due(first.id, keeping_superseded) == {"m"}
    assert catalog.obsolete.due(Retention.at(now, superseded_days=1, deleted_days=1)) == []
    catalog.obsolete.record_removed(first, {"k"}, 1)
    assert catalog.obsolete.documents_due(first.id, AT_ONCE) == {"m"}
    catalog.obsolete.record_removed(first, {"m"}, 0)
    assert catalog.obsolete.due(AT_ONCE) == []
    assert [load.id for load in catalog.loads.pending("acme", "a", "landed")] == [2, 3]
    (second, _) = catalog.loads.pending("acme", "a", "landed")
    catalog.obsolete.record_removed(second, {"k"}, 0)
    assert catalog.loads.state_of(second.id) == "landed", "a document needs it, wherever its file is"


def test_a_purged_unit_is_forgotten_after_its_time(catalog: Catalog) -> None:
    commit(catalog, landed("k"), landed("m"))
    commit(catalog, landed("k", "v2"), landed("other"), unit="b")
    catalog.documents.record_indexed({"k": Indexed("v2", 1, ()), "m": Indexed("v1", 2, ("public",))})
    assert catalog.purging.units("acme") == {"a": "A", "b": "B"}
    assert catalog.purging.count_documents("acme", ["a"]) == 1
    catalog.rights.hide_units("acme", ["a"], "it is being purged")
    assert catalog.revocations.count() == {"acme": 2}, "the unit, and the document that has points"
    catalog.purging.record_points_removed("acme", ["a"])
    assert [row.document for row in catalog.revocations.carried()] == ["m"]
    forgotten = catalog.purging.forget("acme", ["a"], after=timedelta(minutes=1), whole=False, state=False)
    assert (forgotten.units, forgotten.documents, forgotten.memberships) == (1, 1, 0)
    assert catalog.revocations.count() == {"acme": 2}, "in force as long as a reader may see the state before"
    catalog.purging.forget("acme", ["a", "b"], after=timedelta(), whole=True, state=True)
    assert catalog.revocations.count() == {"acme": 2}
    assert not catalog.purging.is_known("acme")


def test_events_are_purged_with_what_they_are_about(catalog: Catalog) -> None:
    commit(catalog, landed("k"))
    about = [(Invalidation("document", "", "k"),), (Invalidation("unit", "a"),), (Invalidation("unit", "b"),), ()]
    for number, changes in enumerate(about):
        catalog.events.store("acme", Event(f"d{number}", "issues", changes), b"{}")
    catalog.events.store("other", Event("d", "issues", about[1]), b"{}")
    assert catalog.purging.delete_events("acme", ["a"]) == 3
    assert catalog.purging.delete_events("acme", None) == 1
    assert [event["connection"] for event in catalog.events.list_recent()] == ["other"]


def test_vectors_are_forgotten_by_their_text(catalog: Catalog) -> None:
    vector = np.array([1, 2, 3], dtype=np.float32)
    for model in ("m", "n"):
        catalog.embeddings.put(model, 3, {"gone": vector, "kept": vector})
    with catalog._engine.begin() as connection:  # as an earlier release has written them
        connection.execute(update(tables.embeddings).values(text=None))
    catalog.embeddings.put("n", 3, {"gone": vector})
    catalog.embeddings.put("o", 3, {"gone": vector})
    assert catalog.embeddings.count(["gone"], "m", 3) == catalog.embeddings.remove(["gone"], "m", 3) == 2
    left = {model: set(catalog.embeddings.get(model, 3, ["gone", "kept"])) for model in "mno"}
    assert left == {"m": {"kept"}, "n": {"gone", "kept"}, "o": set()}
