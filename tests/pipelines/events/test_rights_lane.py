"""What waiting events take away counts before any pass over content, and the events stay for the passes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from threading import Event

import pytest

from connectors.contract import Membership
from connectors.errors import Unavailable
from connectors.model import Unit
from connectors.webhooks import Invalidation
from pipelines.events.connector_pool import ConnectorPool
from pipelines.events.rights_lane import RightsLane
from pipelines.index.contract import Filters
from pipelines.ingestion.publish import publish
from pipelines.services import Services
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document
from tests.pipelines.events.conftest import CONNECTION, UNIT, Inbox, new_source, running


@pytest.fixture
def lane(services: Services, source: MemorySource) -> RightsLane:
    return RightsLane(services, ConnectorPool(lambda connection: source))


def about(number: int, *, withdraws: bool = False) -> Invalidation:
    return Invalidation("document", "unit", document(number).id, withdraws)


def revoked(services: Services) -> set[str]:
    return set(services.catalog.revocations.load().documents)


def test_what_an_event_withdraws_is_looked_at_once_and_the_event_waits(
    services: Services, source: MemorySource, lane: RightsLane, inbox: Inbox
) -> None:
    source.remove(document(1).id)
    inbox.tell(about(1, withdraws=True))
    before = source.requests
    assert [lane.run_pass(), lane.run_pass()] == [1, 0]
    assert (revoked(services), source.requests - before) == ({document(1).id}, 1)
    assert inbox.states() == ["pending"]


@pytest.mark.parametrize(("withdraws", "paused", "hidden"), [(True, False, 1), (True, True, 1), (False, True, 0)])
def test_a_part_that_is_deleted_is_withdrawn_at_once(
    services: Services, source: MemorySource, lane: RightsLane, inbox: Inbox, withdraws: bool, paused: bool, hidden: int
) -> None:
    """The words that are left look like an edit, and the event knows better."""
    services.catalog.connections.pause(CONNECTION.id, paused)
    publish(services)
    source.put(document(1, content="Text of issue one."))
    inbox.tell(about(1, withdraws=withdraws))
    lane.run_pass()
    assert len(services.reader.document(document(1).id, Filters(readers=None))) == 1 - hidden
    assert len(services.reader.document(document(2).id, Filters(readers=None))) == 1


@pytest.mark.parametrize("order", [(False, True), (True, False)], ids=["edited before", "edited after"])
def test_a_deletion_counts_among_other_events_of_its_object(
    services: Services, source: MemorySource, lane: RightsLane, inbox: Inbox, order: tuple[bool, bool]
) -> None:
    source.remove(document(1).id)
    for withdraws in order:
        inbox.tell(about(1, withdraws=withdraws))
    lane.run_pass()
    assert revoked(services) == {document(1).id}


@pytest.mark.parametrize(("paused", "asked"), [(False, 0), (True, 1)])
def test_an_edit_is_left_to_the_passes_unless_the_connection_is_paused(
    services: Services, source: MemorySource, lane: RightsLane, inbox: Inbox, paused: bool, asked: int
) -> None:
    services.catalog.connections.pause(CONNECTION.id, paused)
    before = source.requests
    inbox.tell(about(1))
    lane.run_pass()
    assert source.requests - before == asked


def test_a_source_that_does_not_answer_holds_up_no_other(services: Services, inbox: Inbox) -> None:
    other = CONNECTION.model_copy(update={"id": "other"})
    services.settings = services.settings.model_copy(update={"connections": (other, CONNECTION)})
    services.catalog.units.replace_listing(other.id, other.source, [UNIT])
    asked, answers = Event(), Event()

    class Silent(MemorySource):
        def units(self) -> Iterator[Unit]:
            asked.set()
            assert answers.wait(30)
            yield UNIT

    source = new_source()
    source.remove(document(1).id)
    lane = RightsLane(services, ConnectorPool(lambda connection: Silent() if connection.id == "other" else source))
    with running(services, lane.run) as stop, ExitStack() as finally_:
        finally_.callback(answers.set)
        inbox.tell(Invalidation("units"), connection="other")
        assert asked.wait(30)
        inbox.tell(about(1, withdraws=True))
        deadline = time.monotonic() + 30
        while not revoked(services):
            assert time.monotonic() < deadline, "the other connection's event waits"
            stop.wait(0.01)
    assert revoked(services) == {document(1).id}


def test_units_and_memberships_are_read_although_one_object_is_in_trouble(
    services: Services, source: MemorySource, lane: RightsLane, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object) -> Iterator[Unit]:
        raise Unavailable("https://api.test", "HTTP 500")

    source.people = [Membership("team", "ada@example.com")]
    monkeypatch.setattr(source, "fetch", unavailable)
    monkeypatch.setattr(source, "units", lambda: iter([replace(UNIT, readers=("group:acme:team",))]))
    inbox.tell(about(1, withdraws=True), Invalidation("units"), Invalidation("memberships"))
    lane.run_pass()
    assert services.catalog.groups_of("ada@example.com") == {"group:acme:team"}
    assert services.catalog.revocations.load().units["acme", "unit"].tokens == {"public"}
