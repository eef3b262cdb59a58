"""Explaining a document in each state it can be in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import NoReturn

import pytest
from pydantic import SecretStr

from connectors.contract import Failed, Membership, Skipped, UnreadableGroup
from connectors.drive.settings import DriveConnection
from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from connectors.webhooks import Event, Invalidation
from pipelines.errors import EmbeddingUnavailable, IndexStoreError, UsageError
from pipelines.ingestion.options import Mode as SyncMode
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.publish import publish
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.rights import apply_rights, read_rights
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.operations.explain import Explanation, explain
from pipelines.operations.explain.visibility import Reader, Visibility
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")
KEY = "github:acme/acme/api/issues/1"
ADA, BO, NOOR = "ada@example.com", "bo@example.com", "noor@example.com"


@pytest.fixture
def source() -> MemorySource:
    memory = MemorySource()
    memory.put(document(1, content="The penstock valve leaks.", readers=("group:acme:team",), url="https://x.test/1#a"))
    memory.put(document(2, content="The turbine hums.", readers=("public",)))
    return memory


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    with Services(settings.model_copy(update={"connections": (CONNECTION,)}), FakeEmbedder()) as opened:
        opened.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [UNIT])
        yield opened


def sync(services: Services, source: MemorySource, mode: SyncMode = "changes") -> SyncReport:
    return sync_unit(services, CONNECTION, source, UNIT, SyncOptions(mode=mode, allow_mass_delete=True))


def tokens(readers: Sequence[Reader]) -> list[str]:
    return [reader.token for reader in readers]


def visibility_of(services: Services, document_id: str, user: str) -> Visibility:
    found = explain(services, document_id, user=user).visibility
    assert found is not None
    return found


def states(found: Explanation) -> dict[str, str]:
    return {stage.stage: stage.state for stage in found.stages}


def test_a_published_document(services: Services, source: MemorySource) -> None:
    sync(services, source)
    publish(services)
    found = explain(services, KEY)
    assert set(states(found).values()) == {"done"}
    assert found.version == found.indexed_version == found.published_version is not None
    (passage,) = found.published
    assert (found.chunks, passage.position, passage.headings) == (1, 0, ())
    assert "The penstock valve leaks." in passage.opening
    assert tokens(found.readers) == ["group:acme:team"]
    assert (found.load_state, found.visibility, found.ranks, found.index_error) == ("indexed", None, (), None)


def test_its_chunks_are_told_by_place_and_headings(services: Services, source: MemorySource) -> None:
    text = "\n\n".join(f"## Part {number}\n\n{'The valve leaks. ' * 150}" for number in range(2))
    source.put(document(1, content=text))
    sync(services, source)
    publish(services)
    found = explain(services, KEY)
    assert [one.position for one in found.published] == list(range(found.chunks))
    assert {one.headings for one in found.published} >= {("Part 0",), ("Part 1",)}
    assert max(len(one.opening) for one in found.published) == 81


def test_the_unit_it_lies_in(services: Services, source: MemorySource) -> None:
    sync(services, source)
    home = explain(services, KEY).unit_context
    assert (home.connection, home.unit, home.name, home.configured) == ("acme", "unit", "Unit", True)
    assert (home.paused, home.connection_paused, home.gone, home.cursor, home.error) == (
        False,
        False,
        False,
        True,
        None,
    )
    assert home.last_sync is not None
    services.settings = services.settings.model_copy(update={"connections": ()})
    services.catalog.connections.pause("acme", True)
    services.catalog.units.pause("acme", "unit", True)
    services.catalog.units.start_listing("acme", "unit", "listing")
    services.catalog.units.record_sync("acme", "unit", "answered 500")
    services.catalog.units.replace_listing("acme", "github", [])
    home = explain(services, KEY).unit_context
    assert (home.configured, home.paused, home.connection_paused, home.gone, home.cursor) == (
        False,
        True,
        True,
        True,
        False,
    )
    assert home.error == "answered 500"


def test_the_last_events_that_pointed_at_it(services: Services, source: MemorySource) -> None:
    sync(services, source)
    pointed = {
        "other": Invalidation("document", "unit", "github:acme/other"),
        "this": Invalidation("document", "", KEY),
        "elsewhere": Invalidation("unit", "another"),
        "unit": Invalidation("unit", "unit"),
        "all": Invalidation("unit"),
        "people": Invalidation("memberships"),
    }
    for kind, change in pointed.items():
        services.catalog.events.store("acme", Event(f"d-{kind}", kind, (change,)), b"{}")
    services.catalog.events.store("other", Event("d", "other connection", (Invalidation("document", "", KEY),)), b"{}")
    services.catalog.events.mark_done({2: []}, {2: "looked again"})
    events = explain(services, KEY).events
    assert [(one.kind, one.scope, one.state) for one in events] == [
        ("all", "unit", "pending"),
        ("unit", "unit", "pending"),
        ("this", "document", "done"),
    ]
    assert (events[-1].reason, events[-1].finished_at is not None) == ("looked again", True)


@pytest.mark.parametrize("spelling", ["https://x.test/1#a", "https://x.test/1#a/", " https://x.test/1#a "])
def test_it_is_found_by_its_address(services: Services, source: MemorySource, spelling: str) -> None:
    sync(services, source)
    assert explain(services, spelling).id == KEY


def test_several_documents_at_one_address_are_named(services: Services, source: MemorySource) -> None:
    source.put(document(3, url="https://x.test/1#a"))
    sync(services, source)
    assert explain(services, "https://x.test/1#a").others == ("github:acme/acme/api/issues/3",)


def test_an_unknown_document_is_refused(services: Services) -> None:
    with pytest.raises(UsageError, match="no connection has named a document"):
        explain(services, "github:acme/nothing")


def test_what_is_not_published_yet(services: Services, source: MemorySource) -> None:
    sync(services, source)
    found = explain(services, KEY)
    assert states(found) == {"documents": "done", "chunks": "done", "vectors": "done", "retrieval": "waiting"}
    publish(services)
    source.put(document(1, content="The penstock valve holds.", readers=("public",)))
    sync(services, source)
    found = explain(services, KEY)
    assert found.stages[-1].detail == "an earlier version is published"
    assert found.published_version != found.indexed_version
    assert tokens(found.readers) == ["group:acme:team"], "those that count today"


def test_what_is_not_embedded_yet(settings: Settings, source: MemorySource) -> None:
    with Services(settings, FakeEmbedder(fail_after=0)) as services:
        services.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [UNIT])
        with suppress(EmbeddingUnavailable):
            sync(services, source)
        found = explain(services, KEY)
        assert states(found) == {"documents": "done", "chunks": "done", "vectors": "waiting", "retrieval": "waiting"}
        assert found.status == "pending"


def test_a_text_that_the_provider_does_not_take_stops_at_the_vectors(settings: Settings, source: MemorySource) -> None:
    embedder = FakeEmbedder()
    embedder.refused = {"cursed"}
    source.put(document(2, content="A cursed text."))
    with Services(settings, embedder) as services:
        services.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [UNIT])
        sync(services, source)
        found = explain(services, document(2).id)
        assert states(found) == {"documents": "done", "chunks": "done", "vectors": "failed", "retrieval": "waiting"}
        assert "cannot be embedded: the fake provider refuses it" in found.stages[2].detail


def test_what_is_skipped_failed_or_deleted(services: Services, source: MemorySource) -> None:
    source.put(Skipped("github:acme/s", "Big", "too large: 30 MB", url="https://x.test/s"))
    source.put(Failed("github:acme/f", "Bad", "answered 500"))
    source.put(document(4, content="", title=""))
    sync(services, source)
    publish(services)
    skipped = explain(services, "https://x.test/s")
    assert (states(skipped)["documents"], skipped.stages[0].detail) == ("skipped", "too large: 30 MB")
    failed = explain(services, "github:acme/f")
    assert (failed.stages[0].state, failed.stages[0].detail, failed.attempts) == ("failed", "answered 500", 1)
    assert failed.next_attempt is not None
    assert "empty" in str(explain(services, "github:acme/acme/api/issues/4").reason)
    source.put(Failed(document(2).id, "Issue 2", "answered 502"))
    sync(services, source)
    kept = explain(services, document(2).id)
    assert states(kept) == {"documents": "failed", "chunks": "waiting", "vectors": "waiting", "retrieval": "done"}
    assert kept.stages[-1].detail == "an earlier version is found until this is read"
    source.remove(KEY)
    sync(services, source, mode="full")
    gone = explain(services, KEY)
    assert states(gone) == {"documents": "deleted", "vectors": "done", "retrieval": "waiting"}
    publish(services)
    assert states(explain(services, KEY))["retrieval"] == "done"


def test_whether_a_person_sees_it_and_through_what(services: Services, source: MemorySource) -> None:
    group, direct = "group:acme:unit", f"user:{ADA}"
    source.put(document(1, readers=(group, direct)))
    source.put(document(3, readers=()))
    sync(services, source)
    assert visibility_of(services, KEY, ADA).why_not == "nothing of it is published"
    publish(services)
    services.catalog.memberships.replace("acme", [Membership("unit", BO)])
    bo, ada, noor = (visibility_of(services, KEY, person) for person in (BO, ADA, NOOR))
    assert (bo.sees, bo.through) == (True, (Reader(group, "group", "Unit"),)), "the group of a unit has its name"
    assert (ada.sees, ada.through) == (True, (Reader(direct, "direct", ADA),))
    assert (noor.sees, noor.through) == (False, ())
    assert "among its readers" in noor.why_not
    everybody = visibility_of(services, document(2).id, NOOR)
    assert [one.grant for one in everybody.through] == ["public"]
    assert "no readers" in visibility_of(services, document(3).id, BO).why_not


def test_a_group_whose_members_cannot_be_read_is_told_to_whom_it_keeps_out(
    services: Services, source: MemorySource
) -> None:
    """One by one; or all of them, where the source does not even say which there are."""
    sync(services, source)
    publish(services)
    services.catalog.memberships.replace("acme", [UnreadableGroup("team", "missing_scope; grant groups:read")])
    assert "missing_scope; grant groups:read" in visibility_of(services, KEY, ADA).why_not
    services.catalog.memberships.replace("acme", [])
    assert "cannot be read" not in visibility_of(services, KEY, ADA).why_not
    services.catalog.failures.record("memberships", "acme", "", "other", "groups: access denied; grant the scope")
    said = visibility_of(services, KEY, ADA).why_not
    assert "who belongs to team of acme cannot be read: groups: access denied; grant the scope" in said


def test_a_person_of_a_domain_sees_what_is_shared_with_it(services: Services, source: MemorySource) -> None:
    drive = DriveConnection(id="acme-drive", source="drive", token=SecretStr("t"))
    services.settings = services.settings.model_copy(update={"connections": (CONNECTION, drive)})
    source.put(document(1, readers=("group:acme-drive:domain:example.com", "group:acme-drive:all@example.com")))
    sync(services, source)
    publish(services)
    ada = explain(services, KEY, user=ADA)
    assert [(one.grant, one.name) for one in visibility_of(services, KEY, ADA).through] == [("domain", "example.com")]
    assert ("group", "all@example.com of acme-drive") in [(one.grant, one.name) for one in ada.readers]
    assert not visibility_of(services, KEY, "ada@elsewhere.example").sees


def test_a_revocation_in_force_is_named(services: Services, source: MemorySource) -> None:
    source.put(document(1, readers=("group:acme:unit", f"user:{ADA}")))
    sync(services, source)
    publish(services)
    services.catalog.memberships.replace("acme", [Membership("unit", BO)])
    before = datetime.now(UTC)
    assert explain(services, KEY).revocations == ()
    services.catalog.rights.revoke("acme", "unit", {KEY: (f"user:{ADA}",)})
    found = explain(services, KEY, user=ADA)
    (one,) = found.revocations
    assert (one.scope, one.everybody, tokens(one.readers)) == ("document", False, [f"user:{ADA}"])
    assert one.since is not None
    assert one.since >= before
    assert found.published, "it is in what is published, and found by nobody whom this concerns"
    assert found.visibility == Visibility(ADA, False, (), f"it is published for them, and revoked since: {one.reason}")
    assert visibility_of(services, KEY, BO).sees
    assert found.as_json()["revocations"][0]["since"] == one.since.isoformat()
    source.put(document(1, readers=("group:acme:unit",)))
    sync(services, source)
    publish(services)
    assert explain(services, KEY).revocations == ()


def sync_and_follow(services: Services) -> None:
    apply_rights(services, "acme", "github", "unit")
    publish(services)


@pytest.mark.parametrize(
    ("change", "scope", "reason"),
    [
        ({"connections": ()}, "connection", "the settings do not name its connection"),
        ({"connections": (CONNECTION.model_copy(update={"exclude": ("unit",)}),)}, "unit", "exclude it"),
    ],
)
def test_what_the_settings_take_away_is_named(
    services: Services, source: MemorySource, change: dict[str, object], scope: str, reason: str
) -> None:
    sync(services, source)
    publish(services)
    services.settings = services.settings.model_copy(update=change)
    found = explain(services, document(2).id, user=NOOR)
    (one,) = found.revocations
    assert (one.scope, one.since, one.everybody) == (scope, None, True)
    assert reason in one.reason
    assert found.visibility
    assert reason in found.visibility.why_not


def test_what_was_removed_by_the_settings_is_not_called_gone_at_the_source(
    services: Services, source: MemorySource
) -> None:
    sync(services, source)
    publish(services)
    excluding = CONNECTION.model_copy(update={"exclude": ("unit",)})
    services.settings = services.settings.model_copy(update={"connections": (excluding,)})
    services.catalog.units.replace_listing("acme", "github", [])
    services.catalog.rights.remove_unit("acme", "unit")
    assert explain(services, KEY).stages[0].detail == "the settings of its connection exclude it"
    services.settings = services.settings.model_copy(update={"connections": (CONNECTION,)})
    assert explain(services, KEY).stages[0].detail == "gone at the source, or out of its reach"


def test_nobody_sees_what_is_hidden_also_after_the_index_has_followed(services: Services, source: MemorySource) -> None:
    sync(services, source)
    services.catalog.rights.hide("acme", "unit", [KEY], "missing from a listing")
    sync_and_follow(services)
    assert visibility_of(services, KEY, BO).why_not == "nobody sees it: missing from a listing"


def test_text_that_was_deleted_is_not_shown(services: Services, source: MemorySource) -> None:
    sync(services, source)
    publish(services)
    source.put(document(1, content="Other words."))
    read_rights(services, CONNECTION, source, UNIT, [KEY], [KEY])
    found = explain(services, KEY, user=ADA)
    assert (found.published, found.withdrawn_since is not None) == ((), True)
    assert found.visibility is not None
    assert not found.visibility.sees


def test_what_was_listed_under_a_former_name_is_not_called_excluded(services: Services, source: MemorySource) -> None:
    """Explaining asks what queries ask: the listing found the unit by the name that the settings have for it."""
    sync(services, source)
    publish(services)
    by_former_name = CONNECTION.model_copy(update={"include": ("acme/former",)})
    services.settings = services.settings.model_copy(update={"connections": (by_former_name,)})
    services.catalog.connections.record_listing("acme", by_former_name.unit_patterns)
    found = explain(services, document(2).id, user=NOOR)
    assert found.revocations == ()
    assert found.visibility
    assert found.visibility.sees


def test_what_is_out_of_reach_says_so_after_the_index_has_followed(services: Services, source: MemorySource) -> None:
    sync(services, source)
    services.catalog.rights.hide("acme", "unit", [KEY], "missing from a listing")
    (written,) = explain(services, KEY).revocations
    sync_and_follow(services)
    (kept,) = explain(services, KEY).revocations
    assert written.since is not None
    assert kept.since is None
    assert written.reason == kept.reason == "missing from a listing"
    services.catalog.units.replace_listing("acme", "github", [])
    assert [one.scope for one in explain(services, KEY).revocations] == ["unit", "document"]


def test_a_permission_that_has_ended_is_named(services: Services, source: MemorySource) -> None:
    end = datetime(2026, 1, 1, tzinfo=UTC)
    source.put(document(1, readers=(f"user:{ADA}",), readers_until=((f"user:{ADA}", end),)))
    sync_unit(services, CONNECTION, source, UNIT, SyncOptions(stages=("documents",)))
    (one,) = explain(services, KEY).revocations
    assert (one.scope, one.since, tokens(one.readers)) == ("document", end, [f"user:{ADA}"])
    assert "has ended" in one.reason


def test_its_rank_for_a_question(services: Services, source: MemorySource) -> None:
    source.put(document(3, content="A penstock valve, a penstock valve.", readers=("public",)))
    sync(services, source)
    publish(services)
    services.catalog.memberships.replace("acme", [Membership("team", BO)])
    (administrator,) = explain(services, KEY, query="penstock valve").ranks
    assert (administrator.user, administrator.rank) == (None, 2)
    assert (administrator.dense_rank, administrator.lexical_rank) == (2, 2)
    same, bo = explain(services, KEY, user=BO, query="penstock valve").ranks
    assert (same, bo.user, bo.rank) == (administrator, BO, 2)
    _, ada = explain(services, KEY, user=ADA, query="penstock valve").ranks
    assert (ada.rank, ada.dense_rank, ada.lexical_rank) == (None, None, None)
    found = explain(services, document(3).id, user=ADA, query="penstock valve").as_json()
    assert [rank["rank"] for rank in found["ranks"]] == [1, 1]
    assert found["updated_at"] == "2026-01-03T00:00:00+00:00"


def test_an_index_that_cannot_be_read_leaves_the_rest_to_be_told(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(services, source)
    publish(services)

    def unreadable(*_: object) -> NoReturn:
        raise IndexStoreError("the server does not answer")

    monkeypatch.setattr(services.published, "document", unreadable)
    found = explain(services, KEY, user=ADA, query="valve")
    assert found.index_error == found.stages[-1].detail == "the server does not answer"
    assert (states(found)["vectors"], states(found)["retrieval"], found.ranks) == ("done", "failed", ())
