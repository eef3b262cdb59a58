"""What an event says to be deleted is found by nobody once it is stored, whatever its source says or does not say."""

from __future__ import annotations

import pytest

from connectors.contract import all_below
from connectors.errors import AccessDenied, SourceError, Unavailable
from connectors.webhooks import Invalidation
from pipelines.events.worker import Worker
from pipelines.index.contract import Filters
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.publish import publish
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document
from tests.pipelines.events.conftest import CONNECTION, UNIT, Inbox


def found(services: Services) -> set[int]:
    everybody = Filters(readers=("public",))
    return {number for number in range(3) if services.reader.document(document(number).id, everybody)}


def deletion(number: int = 1) -> Invalidation:
    return Invalidation("document", "unit", document(number).id, withdraws=True, deleted=True)


@pytest.fixture(autouse=True)
def published(services: Services) -> None:
    publish(services)


def test_it_counts_before_anything_works_on_the_event(services: Services, inbox: Inbox) -> None:
    inbox.tell(Invalidation("document", "unit", document(2).id, withdraws=True))
    assert found(services) == {0, 1, 2}
    inbox.tell(deletion())
    assert found(services) == {0, 2}


@pytest.mark.parametrize(
    "trouble", [Unavailable("https://api.test", "HTTP 500"), AccessDenied("https://api.test", "HTTP 403")]
)
def test_a_source_that_does_not_answer_changes_nothing_of_it(
    services: Services,
    source: MemorySource,
    worker: Worker,
    inbox: Inbox,
    monkeypatch: pytest.MonkeyPatch,
    trouble: SourceError,
) -> None:
    def fails(*_: object) -> None:
        raise trouble

    with monkeypatch.context() as down:
        for name in ("fetch", "read", "listing", "units"):
            down.setattr(source, name, fails)
        inbox.tell(deletion())
        worker.run_pass()
        for options in (SyncOptions(), SyncOptions(mode="reconcile")):
            sync_unit(services, CONNECTION, source, UNIT, options)
            publish(services)
            assert found(services) == {0, 2}
    sync_unit(services, CONNECTION, source, UNIT)
    publish(services)
    assert found(services) == {0, 1, 2}, "it was not true, and the next sync finds that out"


@pytest.mark.parametrize("is_true", [True, False])
def test_the_read_that_it_leads_to_has_the_last_word(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox, is_true: bool
) -> None:
    if is_true:
        source.remove(document(1).id)
    inbox.tell(deletion())
    worker.run_pass()
    assert (found(services), inbox.states()) == ({0, 2} if is_true else {0, 1, 2}, ["done"])


@pytest.mark.parametrize("of_unit", [True, False])
def test_it_counts_during_a_pause(services: Services, inbox: Inbox, worker: Worker, of_unit: bool) -> None:
    if of_unit:
        services.catalog.units.pause(CONNECTION.id, UNIT.id, True)
    else:
        services.catalog.connections.pause(CONNECTION.id, True)
    inbox.tell(deletion())
    worker.run_pass()
    assert (found(services), inbox.states()) == ({0, 2}, ["pending"])


def test_a_delivery_that_comes_again_says_nothing_more(services: Services, inbox: Inbox, worker: Worker) -> None:
    inbox.tell(deletion(), delivery="once")
    worker.run_pass()
    assert not inbox.tell(deletion(), delivery="once")
    assert found(services) == {0, 1, 2}


def test_what_is_below_goes_along_and_comes_back(services: Services, source: MemorySource, inbox: Inbox) -> None:
    top, inside, _ = (document(number).id for number in range(3))
    services.catalog.parents.record(CONNECTION.id, UNIT.id, {inside: (top,), top: ()})
    inbox.tell(
        Invalidation("document", "", top, deleted=True), Invalidation("document", "", all_below(top), deleted=True)
    )
    assert found(services) == {2}
    sync_unit(services, CONNECTION, source, UNIT)
    publish(services)
    assert found(services) == {0, 1, 2}


def test_it_takes_nothing_from_another_connection(services: Services, inbox: Inbox) -> None:
    inbox.tell(deletion(), connection="other")
    assert found(services) == {0, 1, 2}
