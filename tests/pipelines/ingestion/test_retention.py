"""Retention: what nothing needs leaves landing, cache and inbox in time, and what is needed stays."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from connectors.contract import Skipped
from connectors.github.settings import GitHubConnection
from connectors.model import Document, Unit
from connectors.webhooks import Event, Invalidation
from pipelines.catalog import tables
from pipelines.catalog.events import PendingEvent
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.publish import publish
from pipelines.ingestion.reindex import reindex
from pipelines.ingestion.retention import Pruned, plan_prune, prune
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from pipelines.settings import RetentionSettings, Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

ACME = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")
KEYS = [document(number).id for number in range(3)]


@dataclass
class Lab:
    """A unit of three documents in one load, and time that passes."""

    services: Services
    source: MemorySource

    def sync(self, mode: Any = "changes") -> None:
        report = sync_unit(self.services, ACME, self.source, UNIT, SyncOptions(mode=mode, allow_mass_delete=True))
        assert report.errors == {}

    def keep(self, **days: int) -> None:
        retention = RetentionSettings(**days)
        self.services.settings = self.services.settings.model_copy(update={"retention": retention})

    def pass_time(self, days: float) -> None:
        """As if all that was written had been written that much earlier."""
        engine, past = self.services.catalog._engine, datetime.now(UTC) - timedelta(days=days)
        columns = [tables.obsolete_rows.c.since, tables.documents.c.changed_at, tables.events.c.received_at]
        columns += [tables.embedding_models.c.used_at]
        with engine.begin() as transaction:
            for column in (*columns, tables.events.c.finished_at):
                transaction.execute(update(column.table).where(column.is_not(None)).values({column: past}))

    def landed(self, word: str) -> bool:
        """Whether a word stands in a file of documents or chunks."""
        files = self.services.landing.files
        return any(word in str(row) for path in files.list("") for row in self._rows(path))

    def _rows(self, path: str) -> Iterator[dict[str, Any]]:
        return self.services.landing.files.rows(path) if path.endswith(".parquet") else iter(())

    def vectors(self) -> int:
        with self.services.catalog._engine.connect() as transaction:
            return len(transaction.execute(tables.embeddings.select()).all())


class OtherModel(FakeEmbedder):
    model = "other"


@pytest.fixture
def lab(settings: Settings) -> Iterator[Lab]:
    source = MemorySource()
    for number, word in enumerate(("zebra", "okapi", "tapir")):
        source.put(document(number, content=f"About the {word}."))
    placed = settings.model_copy(update={"connections": (ACME,)})
    with Services(placed, FakeEmbedder()) as services:
        services.catalog.units.replace_listing("acme", "github", [UNIT])
        made = Lab(services, source)
        made.sync()
        yield made


@pytest.mark.parametrize(("days", "after", "gone"), [(0, 0, True), (30, 29, False), (30, 31, True)])
def test_text_that_is_deleted_at_its_source_leaves_after_its_days(
    lab: Lab, days: int, after: float, gone: bool
) -> None:
    lab.keep(deleted_text_days=days)
    lab.source.remove(KEYS[0])
    lab.sync("full")
    lab.pass_time(after)
    planned, pruned = plan_prune(lab.services), prune(lab.services)
    assert planned == pruned == (Pruned(landed_rows=1, vectors=1, titles=1) if gone else Pruned())
    assert (lab.landed("zebra"), lab.vectors()) == ((False, 2) if gone else (True, 3))
    assert lab.landed("okapi")
    assert prune(lab.services) == Pruned(), "once is enough"


@pytest.mark.parametrize(("after", "gone"), [(6, False), (8, True)])
def test_a_sentence_that_was_edited_out_leaves_after_its_days(lab: Lab, after: float, gone: bool) -> None:
    kept = "The turbine hums. " * 150
    lab.source.put(document(0, content=f"## Kept\n\n{kept}\n\n## Edited\n\n{'zebra ' * 300}"))
    lab.sync()
    lab.source.put(document(0, content=f"## Kept\n\n{kept}\n\n## Edited\n\n{'quagga ' * 300}"))
    lab.sync()
    before = lab.vectors()
    lab.pass_time(after)
    pruned = prune(lab.services)
    assert lab.landed("zebra") is not gone
    assert pruned.landed_rows == (2 if gone else 0), "the version of the first load, and the one edited since"
    assert pruned.landed_files == (1 if gone else 0)
    assert lab.landed("quagga")
    assert reindexed(lab) == 0, "what the newest version has is not forgotten"
    assert (lab.vectors() < before) is gone


def reindexed(lab: Lab) -> int:
    """How many texts a reindex has to embed; afterwards every live document is found by its points."""
    report = reindex(lab.services)
    assert report.errors == {}
    with lab.services.store() as store:
        points = {payload["document_id"] for _, payload in store.scan()}
    assert points == set(lab.source.objects)
    return report.embedding.inputs


def cached(lab: Lab) -> set[str]:
    """Texts of documents that are there, of which the cache has a vector."""
    landing, catalog, embedder = lab.services.landing, lab.services.catalog, lab.services.embedder
    states = catalog.documents.states(lab.source.objects).values()
    texts = {text for one in states for _, text in landing.texts_of("acme", one.load or 0, [one.id])}
    return set(catalog.embeddings.get(embedder.model, embedder.dimensions, sorted(texts)))


def test_a_reindex_works_from_what_is_left(lab: Lab) -> None:
    lab.keep(deleted_text_days=0, superseded_loads_days=0)
    lab.source.remove(KEYS[0])
    lab.source.put(document(1, content="About another okapi."))
    lab.sync("full")
    assert prune(lab.services).landed_rows == 2
    publish(lab.services)
    assert reindexed(lab) == 0


def test_a_text_that_another_document_has_is_not_paid_again(lab: Lab) -> None:
    lab.keep(deleted_text_days=0)
    for number in (5, 6):
        lab.source.put(document(number, title="Twin", content="About the coati."))
    lab.sync()
    lab.source.remove(document(5).id)
    lab.sync("full")
    assert prune(lab.services).vectors == 0
    assert reindexed(lab) == 0


def test_what_a_document_still_says_is_kept_however_many_have_its_title(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.ingestion.retention.MOST_NAMESAKES", 1)
    lab.keep(superseded_loads_days=0)
    for number in (5, 6, 7):
        lab.source.put(document(number, title="Twin", content=f"About the coati, part {number}."))
        lab.sync()
    kept = "The turbine hums. " * 150
    for word in ("zebra ", "quagga "):
        lab.source.put(document(7, title="Twin", content=f"## Kept\n\n{kept}\n\n## Edited\n\n{word * 300}"))
        lab.sync()
    before = cached(lab)
    assert prune(lab.services).landed_rows == 2
    assert cached(lab) == before


def test_a_version_that_another_load_holds_too_keeps_its_vectors_and_scans(lab: Lab) -> None:
    lab.keep(superseded_loads_days=0)
    for text in ("Something else.", "About the zebra."):
        lab.source.put(document(0, content=text))
        lab.sync()
    lab.services.landing.scans.write(document(0), "scan", "read by an API")
    with lab.services.catalog._engine.begin() as transaction:  # the version between is kept for longer
        transaction.execute(tables.obsolete_rows.delete().where(tables.obsolete_rows.c.load == 2))
    before = cached(lab)
    assert prune(lab.services) == Pruned(landed_rows=1)
    assert lab.services.landing.scans.read(document(0), "scan") == "read by an API"
    assert cached(lab) == before


def reindexed_for(lab: Lab, embedder: FakeEmbedder) -> int:
    """How many texts are embedded for an index that is made anew."""
    shutil.rmtree(lab.services.settings.state_path / "index")
    with Services(lab.services.settings, embedder, replace_index=True) as other:
        return reindex(other).embedding.inputs


def test_vectors_of_a_model_that_nobody_uses_any_more_leave_after_the_days(lab: Lab) -> None:
    assert reindexed_for(lab, OtherModel()) == lab.vectors() - 3 == 3
    lab.pass_time(6)
    assert plan_prune(lab.services) == prune(lab.services) == Pruned()
    assert reindexed_for(lab, FakeEmbedder()) == reindexed_for(lab, OtherModel()) == 0, "to go back costs nothing"
    lab.pass_time(8)
    assert plan_prune(lab.services) == prune(lab.services) == Pruned(vectors=3)
    assert (lab.vectors(), reindexed_for(lab, FakeEmbedder())) == (3, 0)


def test_a_model_to_which_the_index_is_being_rebuilt_is_in_use(lab: Lab) -> None:
    lab.keep(superseded_loads_days=0)
    reindexed_for(lab, OtherModel())
    assert plan_prune(lab.services) == prune(lab.services, seconds=None) == Pruned()
    lab.pass_time(2)
    reindexed_for(lab, OtherModel())
    assert prune(lab.services) == Pruned(), "its texts were all cached, and it is in use"
    lab.pass_time(2)
    assert prune(lab.services) == Pruned(vectors=3)


def test_of_vectors_of_an_earlier_release_it_is_found_out_by_which_model_they_are(lab: Lab) -> None:
    with lab.services.catalog._engine.begin() as transaction:
        transaction.execute(update(tables.embeddings).values(text=None, model=None))
    reindexed_for(lab, OtherModel())
    lab.pass_time(8)
    with Services(lab.services.settings, OtherModel()) as others:
        assert prune(others) == Pruned(), "what nobody has asked for since is known by its key alone"
        assert reindexed_for(lab, FakeEmbedder()) == 0
        lab.pass_time(8)
        assert prune(others) == Pruned(vectors=3)
        assert lab.vectors() == 3


def test_older_versions_of_a_deleted_document_go_with_it(lab: Lab) -> None:
    lab.keep(deleted_text_days=0)
    lab.source.put(document(0, content="No more of it."))
    lab.sync()
    assert prune(lab.services) == Pruned()
    lab.source.remove(KEYS[0])
    lab.sync("full")
    assert prune(lab.services).landed_rows == 2
    assert not lab.landed("zebra")


@pytest.mark.parametrize("what", ["excluded", "skipped"])
def test_what_is_excluded_or_skipped_is_deleted_text(lab: Lab, what: str) -> None:
    lab.keep(deleted_text_days=0)
    if what == "excluded":
        lab.services.catalog.rights.remove_unit("acme", "unit")
    else:
        lab.source.put(Skipped(KEYS[0], "Issue 0", "archived"))
        lab.sync()
    prune(lab.services)
    assert not lab.landed("zebra")
    assert lab.landed("okapi") is (what == "skipped")


def test_a_unit_on_which_another_process_works_is_left_to_the_next_pass(lab: Lab) -> None:
    lab.keep(deleted_text_days=0)
    lab.source.remove(KEYS[0])
    lab.sync("full")
    with lab.services.catalog.leases.hold("acme", "unit"):
        assert prune(lab.services).busy == 1
    assert lab.landed("zebra")
    assert prune(lab.services, seconds=0).landed_rows == 0, "the time of this pass is over"
    assert prune(lab.services).landed_rows == 1


def test_loads_of_an_earlier_release_are_looked_through(lab: Lab) -> None:
    lab.source.put(document(0, content="A newer text."))
    lab.sync()
    with lab.services.catalog._engine.begin() as transaction:  # as the migration leaves them
        unseen = {"load": 1, "document": "", "deleted": True, "since": datetime.now(UTC)}
        transaction.execute(tables.obsolete_rows.delete())
        transaction.execute(tables.obsolete_rows.insert().values(unseen))
    assert prune(lab.services) == Pruned()
    assert lab.landed("zebra")
    lab.pass_time(8)
    assert prune(lab.services).landed_rows == 1
    assert not lab.landed("zebra")
    assert reindexed(lab) == 0


def test_files_of_killed_processes_go_when_they_are_old(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: Sequence[Document] = [document(9, content="About the ocelot.")]
    lab.services.landing.write_documents("github", "acme", "unit", rows)
    assert prune(lab.services, seconds=None) == Pruned(), "it may belong to a load that is being recorded"
    monkeypatch.setattr("pipelines.ingestion.retention.LOADING", timedelta())
    assert plan_prune(lab.services).landed_files == 1
    assert prune(lab.services, seconds=None).landed_files == 1
    assert not lab.landed("ocelot")
    assert lab.landed("okapi")


def test_events_keep_their_bodies_no_longer_than_their_days(lab: Lab) -> None:
    events = lab.services.catalog.events
    for delivery in ("done", "waits"):
        events.store("acme", Event(delivery, "issues", (Invalidation("document", "unit", KEYS[0]),)), b"zebra")
    events.mark_done({1: []}, {})
    lab.pass_time(6)
    assert (prune(lab.services).events, events.body(1)) == (0, b"zebra")
    lab.pass_time(8)
    assert plan_prune(lab.services) == Pruned(events=1, bodies=1)
    assert prune(lab.services) == Pruned(events=1, bodies=1)
    assert (events.body(1), events.body(2)) == (None, b"")
    waiting: list[PendingEvent] = events.pending(["acme"], 10)
    assert [one.invalidations[0].document_id for one in waiting] == [KEYS[0]], "it is processed without its body"
