"""Explaining a document in each state it can be in."""

from __future__ import annotations

from contextlib import suppress

import pytest
from pydantic import SecretStr

from connectors.connection import GitHubConnection
from connectors.model import Failed, Membership, Skipped, Unit
from pipelines.errors import EmbeddingUnavailable, UsageError
from pipelines.explain import explain
from pipelines.options import SyncOptions
from pipelines.stages.publish import publish
from pipelines.sync import sync_unit
from pipelines.workspace import Workspace
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")
KEY = "github:acme/acme/api/issues/1"
ADA, BO = "ada@example.com", "bo@example.com"


@pytest.fixture
def source():
    memory = MemorySource()
    memory.put(document(1, content="The penstock valve leaks.", readers=("group:acme:team",), url="https://x.test/1#a"))
    memory.put(document(2, content="The turbine hums.", readers=("public",)))
    return memory


@pytest.fixture
def workspace(settings):
    with Workspace(settings, FakeEmbedder()) as opened:
        opened.catalog.units.discovered(CONNECTION.id, CONNECTION.source, [UNIT])
        yield opened


def sync(workspace, source, mode="changes"):
    return sync_unit(workspace, CONNECTION, source, UNIT, SyncOptions(mode=mode, allow_mass_delete=True))


def states(found):
    return {stage.stage: stage.state for stage in found.stages}


def test_a_published_document(workspace, source):
    sync(workspace, source)
    publish(workspace)
    found = explain(workspace, KEY)
    assert set(states(found).values()) == {"done"}
    assert found.version == found.indexed_version == found.published_version is not None
    assert (found.chunks, found.published_chunks, found.readers) == (1, 1, ("group:acme:team",))
    assert (found.connection, found.unit, found.load is not None, found.sight, found.rank) == (
        "acme",
        "unit",
        True,
        None,
        None,
    )


@pytest.mark.parametrize("spelling", ["https://x.test/1#a", "https://x.test/1#a/", " https://x.test/1#a "])
def test_it_is_found_by_its_address(workspace, source, spelling):
    sync(workspace, source)
    assert explain(workspace, spelling).id == KEY


def test_several_documents_at_one_address_are_named(workspace, source):
    source.put(document(3, url="https://x.test/1#a"))
    sync(workspace, source)
    assert explain(workspace, "https://x.test/1#a").others == ("github:acme/acme/api/issues/3",)


def test_an_unknown_document_is_refused(workspace):
    with pytest.raises(UsageError, match="no connection has named a document"):
        explain(workspace, "github:acme/nothing")


def test_what_is_not_published_yet(workspace, source):
    sync(workspace, source)
    found = explain(workspace, KEY)
    assert states(found) == {"documents": "done", "chunks": "done", "vectors": "done", "retrieval": "waiting"}
    publish(workspace)
    source.put(document(1, content="The penstock valve holds.", readers=("public",)))
    sync(workspace, source)
    found = explain(workspace, KEY)
    assert found.stages[-1].detail == "an earlier version is published"
    assert found.published_version != found.indexed_version
    assert found.readers == ("group:acme:team",), "those that count today"


def test_what_is_not_embedded_yet(settings, source):
    with Workspace(settings, FakeEmbedder(fail_after=0)) as workspace:
        workspace.catalog.units.discovered(CONNECTION.id, CONNECTION.source, [UNIT])
        with suppress(EmbeddingUnavailable):
            sync(workspace, source)
        found = explain(workspace, KEY)
        assert states(found) == {"documents": "done", "chunks": "done", "vectors": "waiting", "retrieval": "waiting"}
        assert found.status == "pending"


def test_what_is_skipped_failed_or_deleted(workspace, source):
    source.put(Skipped("github:acme/s", "Big", "too large: 30 MB", url="https://x.test/s"))
    source.put(Failed("github:acme/f", "Bad", "answered 500"))
    source.put(document(4, content=""))
    sync(workspace, source)
    publish(workspace)
    skipped = explain(workspace, "https://x.test/s")
    assert (states(skipped)["documents"], skipped.stages[0].detail) == ("skipped", "too large: 30 MB")
    failed = explain(workspace, "github:acme/f")
    assert (failed.stages[0].state, failed.stages[0].detail, failed.attempts) == ("failed", "answered 500", 1)
    assert failed.next_attempt is not None
    assert "empty" in str(explain(workspace, "github:acme/acme/api/issues/4").reason)
    source.remove(KEY)
    sync(workspace, source, mode="full")
    gone = explain(workspace, KEY)
    assert states(gone) == {"documents": "deleted", "vectors": "done", "retrieval": "waiting"}
    publish(workspace)
    assert states(explain(workspace, KEY))["retrieval"] == "done"


def test_whether_a_person_sees_it_and_through_what(workspace, source):
    sync(workspace, source)
    publish(workspace)
    workspace.catalog.memberships.replace("acme", [Membership("team", BO)])
    bo, ada = (explain(workspace, KEY, user=person).sight for person in (BO, ADA))
    assert (bo.sees, bo.through) == (True, ("group:acme:team",))
    assert (ada.sees, ada.through) == (False, ())


def test_its_rank_for_a_question(workspace, source):
    sync(workspace, source)
    publish(workspace)
    workspace.catalog.memberships.replace("acme", [Membership("team", BO)])
    rank = explain(workspace, KEY, query="penstock valve").rank
    assert (rank.rank, rank.dense_rank, rank.lexical_rank) == (1, 1, 1)
    assert explain(workspace, KEY, user=BO, query="penstock valve").rank == rank
    assert explain(workspace, KEY, user=ADA, query="penstock valve").rank.rank is None
    assert explain(workspace, KEY).as_json()["updated_at"] == "2026-01-03T00:00:00+00:00"
