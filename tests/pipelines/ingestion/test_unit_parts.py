"""Parts of a unit that the source refuses, or fails to give: the rest goes on, and nothing of theirs is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import update

import pipelines.ingestion.sync
from connectors.contract import Deleted, EmptyGroup, Failed, Item, ListingEntry, Membership, PartState
from connectors.errors import InvalidResponse, ListingGap, Unavailable
from connectors.github.settings import GitHubConnection
from connectors.model import PUBLIC, Document, Unit
from pipelines.catalog import tables
from pipelines.catalog.documents import DocumentState
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import sync_connection
from pipelines.operations.health import PUBLICATION, known_failures
from pipelines.operations.incomplete_parts import incomplete_parts
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
TALK = "github:acme/unit/discussions/"
REFUSED = PartState("discussions", "refused", "403 Forbidden; grant Discussions: read", (TALK,))
FAILING = replace(REFUSED, status="failing", reason="HTTP 500")
COMPLETE = PartState("discussions", "complete")
RECONCILE = SyncOptions(mode="reconcile")
FULL = SyncOptions(mode="full")


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> MemorySource:
    memory = MemorySource(parts=[COMPLETE])
    for number in range(12):
        memory.put(document(number))
    for number in range(3):
        memory.put(replace(document(100 + number), id=f"{TALK}{number}"))
    monkeypatch.setattr(pipelines.ingestion.sync, "connect", lambda connection: memory)
    return memory


@pytest.fixture
def services(settings: Settings, source: MemorySource) -> Iterator[Services]:
    with Services(settings.model_copy(update={"connections": (CONNECTION,)}), FakeEmbedder()) as opened:
        assert sync(opened).errors == {}
        yield opened


def sync(services: Services, options: SyncOptions | None = None) -> SyncReport:
    return sync_connection(services, CONNECTION, options=options or SyncOptions())


def indexed(services: Services) -> set[str]:
    with services.store() as store:
        return {payload["document_id"] for _, payload in store.scan()}


def states(services: Services, documents: Iterable[Document]) -> Iterable[DocumentState]:
    return services.catalog.documents.states(one.id for one in documents).values()


def readers(services: Services) -> dict[str, tuple[str, ...]]:
    with services.store() as store:
        return {payload["document_id"]: tuple(payload["readers"]) for _, payload in store.scan()}


@pytest.mark.one_case
@pytest.mark.parametrize("options", [RECONCILE, FULL], ids=["reconcile", "full"])
@pytest.mark.parametrize("state", [REFUSED, FAILING], ids=["refused", "failing"])
def test_what_a_part_had_stays_while_others_are_brought_up_to_date(
    services: Services, source: MemorySource, state: PartState, options: SyncOptions
) -> None:
    source.parts = [state]
    source.remove(document(0).id)
    source.put(document(50))
    report = sync(services, options)
    found = indexed(services)
    assert document(0).id not in found
    assert document(50).id in found
    assert {one for one in found if one.startswith(TALK)} == {f"{TALK}{number}" for number in range(3)}
    assert services.catalog.revocations.load().documents.keys() <= {document(0).id}
    assert report.documents.deleted == 1


def test_a_refused_part_is_told_and_fails_nothing_until_it_is_granted(services: Services, source: MemorySource) -> None:
    source.parts = [REFUSED]
    report = sync(services)
    assert report.errors == {}
    assert report.refused == {"acme/unit": {"discussions": REFUSED.reason}}
    (part,) = incomplete_parts(services.catalog, "acme")
    assert (part.unit, part.part, part.status, part.reason) == ("unit", "discussions", "refused", REFUSED.reason)
    sync(services)
    assert incomplete_parts(services.catalog, "acme") == [part]  # since the first time
    source.parts = [COMPLETE]
    assert sync(services).refused == {}
    assert incomplete_parts(services.catalog, "acme") == []


def test_a_part_that_fails_keeps_its_unit_from_being_up_to_date(services: Services, source: MemorySource) -> None:
    source.parts = [FAILING]
    report = sync(services)
    assert report.errors == {"acme/unit": "discussions: HTTP 500"}
    assert report.causes == {"acme/unit": "source_unavailable"}
    (state,) = services.catalog.units.all("acme")
    assert state.error == "discussions: HTTP 500"
    source.parts = [COMPLETE]
    assert sync(services).errors == {}


def test_who_comes_to_a_unit_waits_for_documents_of_which_nothing_is_told(
    services: Services, source: MemorySource
) -> None:
    private = ("group:acme:unit",)
    source.listed = [Unit("unit", "Unit", readers=private)]
    for item in list(source.objects.values()):
        source.put(replace(item, readers=private))  # type: ignore[arg-type]
    sync(services)
    source.parts, source.listed = [REFUSED], [Unit("unit", "Unit", readers=(PUBLIC,))]
    source.remove(f"{TALK}0")  # nobody can tell
    sync(services)
    assert readers(services)[f"{TALK}0"] == private
    source.parts = [COMPLETE]
    sync(services)
    assert readers(services)[f"{TALK}1"] == (PUBLIC,)
    assert f"{TALK}0" in services.catalog.revocations.load().documents  # missing from the listing now


def test_units_that_a_source_has_left_out_are_not_gone(services: Services, source: MemorySource) -> None:
    source.listed = []
    source.gaps = [ListingGap("organisations 42 are left out", lambda unit: unit.id == "unit")]
    report = sync(services, SyncOptions(mode="reconcile", allow_mass_delete=True))
    assert report.refused["acme"] == {"units": "organisations 42 are left out"}
    assert len(indexed(services)) == 15
    assert not any(state.gone for state in services.catalog.units.all("acme"))
    (part,) = incomplete_parts(services.catalog, "acme")
    assert (part.unit, part.part) == ("", "units")
    source.listed, source.gaps = [Unit("unit", "Unit")], []
    assert sync(services).refused == {}
    assert incomplete_parts(services.catalog, "acme") == []


def test_a_list_of_units_that_fails_is_told_as_failing_and_not_as_refused(
    services: Services, source: MemorySource
) -> None:
    refused = ListingGap("group messages: grant mpim:read", lambda unit: False)
    source.gaps = [refused, ListingGap("private channels: HTTP 500", lambda unit: unit.id == "unit", is_refused=False)]
    source.listed = [Unit("other", "Other")]
    report = sync(services)
    assert report.errors == {"acme": "units: private channels: HTTP 500"}
    assert report.causes == {"acme": "source_unavailable"}
    assert report.refused == {"acme": {"units": "group messages: grant mpim:read"}}
    (part,) = incomplete_parts(services.catalog, "acme")
    assert (part.part, part.status) == ("units", "failing")
    assert "acme" in known_failures(services.catalog)
    source.gaps = [refused]
    source.listed = [Unit("unit", "Unit"), Unit("other", "Other")]
    report = sync(services)
    assert (report.errors, known_failures(services.catalog)) == ({}, {PUBLICATION})
    (part,) = incomplete_parts(services.catalog, "acme")
    assert part.status == "refused"


def test_a_list_of_units_that_fails_keeps_no_unit_that_is_gone(services: Services, source: MemorySource) -> None:
    """Another type of channels is missing: of this one the list is whole."""
    source.listed = []
    source.gaps = [ListingGap("private channels: HTTP 500", lambda unit: unit.id != "unit", is_refused=False)]
    for key in list(source.objects):
        source.remove(key)
    sync(services, SyncOptions(mode="reconcile", allow_mass_delete=True))
    assert indexed(services) == set()


def test_a_unit_that_no_gap_covers_is_gone(services: Services, source: MemorySource) -> None:
    source.listed = []
    source.gaps = [ListingGap("private channels are left out", lambda unit: unit.id != "unit")]
    sync(services)
    assert [state.gone for state in services.catalog.units.all("acme")] == [True]


def test_groups_of_units_that_were_left_out_stay_as_they_were_for_a_while(
    services: Services, source: MemorySource
) -> None:
    source.people = [Membership("team", "ada@example.com"), Membership("other", "bo@example.com")]
    sync(services)
    source.people, source.gaps = [EmptyGroup("other")], [ListingGap("organisations 42 are left out")]
    report = sync(services)
    assert report.errors == {}
    memberships = services.catalog.memberships
    assert memberships.groups_of("ada@example.com") == {"group:acme:team"}
    assert memberships.groups_of("bo@example.com") == frozenset()
    (group,) = memberships.unreadable("acme")
    assert (group.group, group.reason) == ("group:acme:team", "organisations 42 are left out")


@pytest.mark.parametrize("told_by_read", [True, False], ids=["the read tells", "a document tells"])
def test_what_failed_for_want_of_a_part_is_read_once_it_is_given(
    services: Services, source: MemorySource, told_by_read: bool
) -> None:
    """However often it had failed, so that its own next attempt may be hours away."""
    missing = [document(60), document(61)]
    for item in missing:
        source.put(Failed(item.id, "", "403 Forbidden"))
    source.parts = [PartState("content", "refused", "403 Forbidden")]
    sync(services)
    sync(services)
    assert not {item.id for item in missing} & indexed(services)
    for item in missing:
        source.objects[item.id] = item  # no change of which a read would tell
    source.parts = [PartState("content", "complete")] if told_by_read else []
    assert sync(services).errors == {}
    assert {item.id for item in missing} <= indexed(services)
    assert incomplete_parts(services.catalog, "acme") == []


def test_a_part_that_is_not_given_costs_few_looks_at_what_failed(services: Services, source: MemorySource) -> None:
    for number in range(60, 70):
        source.put(Failed(document(number).id, "", "403 Forbidden"))
    source.parts = [PartState("content", "refused", "403 Forbidden")]
    sync(services)
    for options, looks in ((None, 4), (SyncOptions(scheduled=True), 0)):
        before = source.requests
        sync(services, options)
        assert source.requests - before == 1 + looks  # the read, and documents
    with services.catalog._engine.begin() as transaction:
        earlier = datetime.now(UTC) + timedelta(minutes=1)
        transaction.execute(update(tables.documents).values(attempts=20, next_attempt=earlier))
    before = source.requests
    sync(services, SyncOptions(scheduled=True))
    assert source.requests - before == 2


def test_a_reconcile_removes_what_is_gone_though_its_reads_fail(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.remove(document(0).id)
    source.put(document(50))
    fetch = source.fetch

    def fetch_what_is_gone(unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        if document(50).id in document_ids:
            raise Unavailable("https://source.test/blocks", "HTTP 500")
        yield from fetch(unit, document_ids)

    monkeypatch.setattr(source, "fetch", fetch_what_is_gone)
    report = sync(services, RECONCILE)
    assert "HTTP 500" in report.errors["acme/unit"]
    assert document(0).id not in indexed(services)


@pytest.mark.parametrize("options", [RECONCILE, FULL], ids=["reconcile", "full"])
def test_what_had_failed_and_is_gone_is_removed_though_its_next_attempt_has_come(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch, options: SyncOptions
) -> None:
    """To look at it is not to have it listed."""
    own = document(0).id
    source.put(Failed(own, "", "not found"))
    sync(services)
    source.remove(own)
    with services.catalog._engine.begin() as transaction:
        come = datetime.now(UTC) - timedelta(minutes=1)
        transaction.execute(update(tables.documents).where(tables.documents.c.id == own).values(next_attempt=come))
    monkeypatch.setattr(source, "fetch", lambda unit, ids: (Deleted(one, is_unfound=True) for one in ids))
    report = sync(services, options)
    assert (report.documents.deleted, report.documents.failed) == (1, 0)
    assert own not in indexed(services)


def test_objects_that_are_not_found_are_counted_once_though_their_listing_is_whole(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listing tells that its part is complete, and who looks at the objects that it is not."""
    refused = PartState("discussions", "refused", "not found, nor are 2 others, although listed")
    talk = [f"{TALK}{number}" for number in range(3)]
    for own in talk:
        source.put(Failed(own, "", "not found"))
    source.parts = [refused]
    sync(services)
    source.parts = [COMPLETE]

    def fetch(unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        yield from (Deleted(one, is_unfound=True) for one in document_ids)
        yield refused

    monkeypatch.setattr(source, "fetch", fetch)
    report = sync(services, RECONCILE)
    assert (report.documents.failed, report.documents.deleted) == (3, 0)
    assert report.refused == {"acme/unit": {"discussions": refused.reason}}
    source.remove(talk[0])
    report = sync(services, RECONCILE)
    assert (report.documents.failed, report.documents.deleted) == (2, 1)


@pytest.mark.parametrize("options", [SyncOptions(), RECONCILE], ids=["sync", "reconcile"])
def test_a_command_reads_what_failed_alone_once_it_is_given(
    services: Services, source: MemorySource, options: SyncOptions
) -> None:
    """No part was told to be refused, since others of it were given, or nothing else was asked for."""
    missing = [document(number) for number in range(60, 100)]
    for item in missing:
        source.put(Failed(item.id, "", "403 Forbidden"))
    sync(services)
    for item in missing:
        source.objects[item.id] = item  # no change of which a read would tell
    sync(services, SyncOptions(scheduled=True))
    assert not {item.id for item in missing} & indexed(services), "a schedule waits for the next attempt"
    assert sync(services, options).errors == {}
    assert {item.id for item in missing} <= indexed(services)


def test_a_command_asks_for_few_of_those_that_are_still_not_given(services: Services, source: MemorySource) -> None:
    failed = [document(number) for number in range(60, 100)]
    for item in failed:
        source.put(Failed(item.id, "", "403 Forbidden"))
    assert sync(services).documents.failed == 40
    looks: set[str] = set()
    for _ in range(2):
        before = source.requests
        report = sync(services)
        assert (report.documents.failed, source.requests - before) == (3, 1 + 3)
        looks.update(state.id for state in states(services, failed) if state.attempts > 1)
    assert len(looks) == 6, "others each time"
    source.objects[failed[20].id] = failed[20]
    with services.catalog._engine.begin() as transaction:
        soon = datetime.now(UTC) + timedelta(minutes=1)
        first = tables.documents.c.id == failed[20].id
        transaction.execute(update(tables.documents).where(first).values(next_attempt=soon))
    report = sync(services)
    assert (report.documents.changed, report.documents.failed) == (1, 2 + 6), "a few more where one is given"


def test_what_is_away_for_a_few_documents_stops_no_command(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.put(Failed(document(60).id, "", "HTTP 502", is_transient=True))
    sync(services)

    def fail(unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        raise Unavailable("https://source.test/blob", "HTTP 502")

    monkeypatch.setattr(source, "fetch", fail)
    source.put(document(61))
    assert sync(services).errors == {}
    assert document(61).id in indexed(services)


def test_what_could_not_be_chunked_is_not_asked_for_by_each_command(services: Services, source: MemorySource) -> None:
    with services.catalog._engine.begin() as transaction:
        later = datetime.now(UTC) + timedelta(hours=1)
        transaction.execute(update(tables.documents).values(status="failed", next_attempt=later))
    before = source.requests
    sync(services)
    assert source.requests - before == 1  # the read


@pytest.mark.parametrize("state", [REFUSED, FAILING], ids=["refused", "failing"])
def test_what_goes_from_a_part_while_all_is_read_without_it_is_removed_once_it_is_given(
    services: Services, source: MemorySource, state: PartState
) -> None:
    """The cursor of before, which knew what there was, is forgotten by then."""
    source.parts = [state]
    source.remove(f"{TALK}0")
    sync(services, FULL)
    sync(services)
    assert f"{TALK}0" in indexed(services), "nothing was told of it"
    source.parts = [COMPLETE]
    report = sync(services)
    assert (report.errors, report.documents.deleted) == ({}, 1)
    assert {one for one in indexed(services) if one.startswith(TALK)} == {f"{TALK}1", f"{TALK}2"}
    before = source.requests
    sync(services)
    assert source.requests - before == 1, "once"


def test_a_part_that_is_given_between_two_syncs_is_compared_as_well(services: Services, source: MemorySource) -> None:
    """A reconcile compares it, and what goes before the next read was known to no cursor."""
    source.parts = [REFUSED]
    sync(services, FULL)
    source.parts = [COMPLETE]
    sync(services, RECONCILE)
    source.remove(f"{TALK}0")
    sync(services)
    assert f"{TALK}0" not in indexed(services)


def test_what_goes_before_an_interrupted_read_of_all_is_removed_once_that_is_through(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.ingestion.load_writer.ITEMS_PER_LOAD", 1)
    source.page_size, source.parts = 5, [REFUSED]  # another part is refused for ever
    source.remove(document(0).id)

    def break_off(page: int) -> None:
        if page == 1:
            raise Unavailable("https://source.test", "HTTP 502")

    source.before_page = break_off
    assert "HTTP 502" in sync(services, FULL).errors["acme/unit"]
    source.before_page = lambda page: None
    report = sync(services)
    assert (report.errors, report.documents.deleted) == ({}, 1)
    assert document(0).id not in indexed(services)
    before = source.requests
    sync(services)
    assert source.requests - before == 1, "once"


def test_a_unit_that_was_not_known_before_is_not_compared(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.ingestion.load_writer.ITEMS_PER_LOAD", 1)
    source.listed, source.page_size = [Unit("new", "New")], 5
    source.objects.clear()
    for number in range(20):
        source.put(replace(document(200 + number), unit="new"))

    def break_off(page: int) -> None:
        if page == 1:
            raise Unavailable("https://source.test", "HTTP 502")

    source.before_page = break_off
    sync(services)
    source.before_page = lambda page: None
    before = source.requests
    assert sync(services).errors == {}
    assert source.requests - before == 3, "the pages that were left"


def test_a_source_that_cannot_name_all_is_asked_for_it_once(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Drive, where a search does not cover everything: the reconcile tells of that."""
    asked = 0

    def listing(unit: Unit) -> Iterator[ListingEntry | PartState]:
        nonlocal asked
        asked += 1
        raise InvalidResponse("https://source.test", "incompleteSearch")
        yield

    monkeypatch.setattr(source, "listing", listing)
    services.catalog.units.start_listing("acme", "unit", "interrupted")
    services.catalog.units.set_cursor("acme", "unit", {"clock": source.clock})
    assert sync(services).errors == sync(services).errors == {}
    assert asked == 1
