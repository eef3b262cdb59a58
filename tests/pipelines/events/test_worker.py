"""From the inbox to the index: coalesced, once, whatever fails or dies in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import psutil
import pytest
from pydantic import SecretStr

from connectors.contract import Failed, Item, Membership
from connectors.errors import AccessDenied, AuthenticationFailed, RateLimited, Unavailable
from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from connectors.webhooks import Invalidation
from pipelines.catalog.events import MOST_ATTEMPTS, PendingEvent, next_look
from pipelines.catalog.outcomes import UNFINISHED
from pipelines.errors import EmbeddingUnavailable, IndexUnavailable
from pipelines.events import debounce
from pipelines.events.connector_pool import ConnectorPool
from pipelines.events.worker import Worker
from pipelines.index.contract import Filters
from pipelines.ingestion.publish import publish
from pipelines.services import Services
from pipelines.settings import RetentionSettings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.chunking import files
from tests.pipelines.documents import document
from tests.pipelines.events.conftest import CONNECTION, UNIT, Inbox, Reports, running


def visible(services: Services) -> dict[int, str]:
    """Texts that assistants would find."""
    found = {}
    for number in range(60):
        hits = services.reader.document(document(number).id, _anybody())
        if hits:
            found[number] = hits[0].payload["text"]
    return found


def _anybody() -> Filters:
    return Filters(readers=None)


def test_a_change_is_found_after_one_pass(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox, reports: Reports
) -> None:
    source.put(document(1, content="An edited text."))
    inbox.tell_of(1)
    assert worker.run_pass() == 1
    assert visible(services)[1] == "An edited text."
    assert inbox.states() == ["done"]
    assert reports.stages == ["acme/unit documents", "acme/unit chunks", "acme/unit vectors"]
    assert reports.published_points == [3]
    (event,) = services.catalog.events.list_recent()
    expected = [{"asset": f"acme/{stage}", "partition": "Unit (unit)"} for stage in ("chunks", "documents", "vectors")]
    assert event["materializations"] == expected
    assert worker.run_pass() == 0


def test_a_deletion_and_a_lost_permission_count_at_once(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox
) -> None:
    source.remove(document(0).id)
    source.put(document(1, readers=("user:ada@example.com",)))
    inbox.tell_of(0, 1)
    worker.run_pass()
    assert set(visible(services)) == {1, 2}
    (hit,) = services.reader.document(document(1).id, _anybody())
    assert hit.payload["readers"] == ["user:ada@example.com"]


def test_many_events_on_one_object_become_one_look(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox
) -> None:
    before = source.requests
    for _ in range(50):
        inbox.tell_of(1)
    assert worker.run_pass() == 1
    assert source.requests - before == 1
    assert set(inbox.states()) == {"done"}


def test_a_delivery_that_comes_again_is_one_event(inbox: Inbox) -> None:
    assert inbox.tell(Invalidation("unit", "unit"), delivery="same")
    assert not inbox.tell(Invalidation("unit", "unit"), delivery="same")
    assert inbox.tell(Invalidation("unit", "unit"), delivery="same", connection="other")
    assert inbox.states() == ["pending", "pending"]


def test_a_recently_read_object_waits_until_its_events_calm_down(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debounce, "INTERVAL", 60.0)  # a slow machine may need more than the interval for one pass
    inbox.tell_of(1)
    worker.run_pass()
    source.put(document(1, content="Edited at once."))
    inbox.tell_of(1)
    assert worker.run_pass() == 0
    assert inbox.states() == ["done", "pending"]


def test_an_event_that_names_no_unit_is_looked_up(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox
) -> None:
    source.put(document(7, content="Quite new."))
    source.remove(document(2).id)
    inbox.tell(Invalidation("document", "", document(7).id), Invalidation("document", "", document(2).id))
    inbox.tell(Invalidation("document", "", "github:acme/nowhere"))
    worker.run_pass()
    assert set(visible(services)) == {0, 1, 7}
    assert inbox.states() == ["done", "ignored"]
    unknown, known = services.catalog.events.list_recent()
    assert unknown["reason"] == "github:acme/nowhere is in no unit that is known here"
    assert known["reason"] == "documents: 1 new, 1 deleted"


def test_memberships_change_without_reading_content(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox
) -> None:
    source.people = [Membership("team", "ada@example.com")]
    before = source.requests
    inbox.tell(Invalidation("memberships"))
    worker.run_pass()
    assert services.catalog.groups_of("ada@example.com") == {"group:acme:team"}
    assert source.requests == before


def test_a_unit_is_read_from_its_cursor(services: Services, source: MemorySource, worker: Worker, inbox: Inbox) -> None:
    source.put(document(8))
    inbox.tell(Invalidation("unit", "unit"))
    worker.run_pass()
    assert 8 in visible(services)


def test_events_of_a_unit_that_is_not_read_ask_for_one_listing(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings: list[int] = []

    def units() -> Iterator[Unit]:
        listings.append(1)
        return iter([UNIT])

    monkeypatch.setattr(source, "units", units)
    for number in range(3):
        inbox.tell(Invalidation("document", f"excluded {number}", f"github:acme/{number}"))
        worker.run_pass()
    assert (len(listings), inbox.states()) == (1, ["ignored"] * 3)
    reasons = {event["reason"] for event in services.catalog.events.list_recent()}
    assert reasons == {f"excluded {number} is not among this connection's units" for number in range(3)}


def test_a_unit_that_its_source_says_is_deleted_is_removed_and_read_whole_when_it_is_back(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(services)
    before, objects = visible(services), dict(source.objects)
    monkeypatch.setattr(source, "units", lambda: iter([Unit("other", "Other")]))
    source.objects.clear()
    inbox.tell(Invalidation("units", "unit", unit_deleted=True))
    worker.run_pass()
    assert (visible(services), inbox.states()) == ({}, ["done"])
    assert services.catalog.documents.count_live("acme", "unit") == 0
    monkeypatch.setattr(source, "units", lambda: iter([UNIT]))
    source.objects |= objects
    inbox.tell(Invalidation("units"))
    worker.run_pass()
    assert visible(services) == before


def test_a_unit_that_is_out_of_reach_is_hidden_and_kept_until_it_is_back(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(services)
    before, live = visible(services), services.catalog.documents.count_live("acme", "unit")
    monkeypatch.setattr(source, "units", lambda: iter([]))
    inbox.tell(Invalidation("units", "unit"))
    worker.run_pass()
    assert (visible(services), inbox.states()) == ({}, ["done"])
    assert services.catalog.documents.count_live("acme", "unit") == live > 0
    monkeypatch.setattr(source, "units", lambda: iter([UNIT]))
    requests = source.requests
    inbox.tell(Invalidation("units"))
    worker.run_pass()
    assert (visible(services), source.requests) == (before, requests), "nothing is read again, nor embedded"


def test_a_new_unit_is_read_whole(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.put(document(9))
    monkeypatch.setattr(source, "units", lambda: iter([Unit("unit", "Unit"), Unit("new", "New")]))
    inbox.tell(Invalidation("units"))
    worker.run_pass()
    new = services.catalog.units.get("acme", "new")
    assert new is not None
    assert new.cursor == {"clock": 4}
    assert inbox.states() == ["done"]


def test_trouble_is_tried_again_and_ends_as_a_dead_letter(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        raise AccessDenied("https://api.test/issues", "no scope")
        yield

    monkeypatch.setattr(source, "fetch", broken)
    inbox.tell_of(1)
    worker.run_pass()
    (event,) = services.catalog.events.list_recent()
    assert (event["state"], event["attempts"]) == ("pending", 1)
    assert "access denied (no scope)" in event["reason"]
    assert event["next_attempt"] > datetime.now(UTC)
    for _ in range(MOST_ATTEMPTS - 1):
        (pending,) = _all_pending(services)
        services.catalog.events.record_failure([pending], "still no scope")
    assert inbox.states() == ["dead"]
    (dead,) = services.catalog.unfinished_events.dead_letters()
    assert (dead.connection, dead.count, dead.reason) == ("acme", 1, "still no scope")
    monkeypatch.undo()
    assert services.catalog.replays.replay(ids=[event["id"]]) == 1
    Worker(services, ConnectorPool(lambda connection: source), worker._reporter).run_pass()
    assert inbox.states() == ["done"]
    history = [(one.outcome, one.reason) for one in services.catalog.replays.attempts(event["id"])]
    assert history == [("failed", event["reason"]), *[("failed", "still no scope")] * 7, ("dead", "still no scope")]


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> NoReturn:
        raise error

    return fail


AWAY = {
    "source_unavailable": ("source.fetch", Unavailable("https://api.test/issues", "HTTP 502")),
    "source_limit": ("source.fetch", RateLimited("https://api.test/issues", 3_600)),
    "source_credentials": ("source.fetch", AuthenticationFailed("https://api.test", "expired")),
    "embedding": ("services.embedder.embed", EmbeddingUnavailable("embedding: api.test answered HTTP 503")),
    "index": ("services.store", IndexUnavailable("knowledge: the Qdrant server answered 503")),
    "landing": ("services.landing.write_documents", PermissionError("the bucket refuses")),
}
FAST = ("source_unavailable", "embedding", "index")


@pytest.mark.parametrize(
    "cause", [pytest.param(cause, marks=[] if cause in FAST else pytest.mark.slow) for cause in AWAY]
)
def test_a_backend_that_is_away_is_waited_for_however_long_that_takes(
    services: Services,
    source: MemorySource,
    worker: Worker,
    inbox: Inbox,
    monkeypatch: pytest.MonkeyPatch,
    cause: str,
) -> None:
    (owner, _, method), error = AWAY[cause][0].rpartition("."), AWAY[cause][1]
    broken = {"source": source, "services": services, "services.embedder": services.embedder}
    target = broken.get(owner, services.landing)
    source.put(document(1, content="An edited text."))
    inbox.tell_of(1)
    with monkeypatch.context() as away:
        away.setattr(target, method, raising(error))
        for _ in range(MOST_ATTEMPTS + 1):
            _all_pending(services)
            worker._debouncer._processed_at.clear()
            worker.run_pass()
            worker.run_maintenance()
    (event,) = services.catalog.events.list_recent()
    assert (event["state"], event["attempts"], event["waiting_for"]) == ("pending", 0, cause)
    (waiting,) = services.catalog.unfinished_events.waiting()
    assert (waiting.connection, waiting.cause, waiting.count) == ("acme", cause, 1)
    assert str(error) in waiting.error
    _all_pending(services)
    worker._debouncer._processed_at.clear()
    worker.run_pass()
    assert (inbox.states(), visible(services)[1]) == (["done"], "An edited text.")
    assert services.catalog.unfinished_events.waiting() == []


@pytest.mark.parametrize("minutes", [0, 1, 600])
def test_a_backend_is_looked_at_again_within_a_minute(minutes: int) -> None:
    now = datetime.now(UTC)
    wait = next_look(now - timedelta(minutes=minutes), now) - now
    assert timedelta(seconds=5) <= wait <= timedelta(seconds=60)


@pytest.mark.parametrize(("is_listed", "state"), [(True, "done"), (False, "pending")])
def test_one_object_that_is_not_answered_is_waited_for_only_with_its_source(
    services: Services,
    source: MemorySource,
    worker: Worker,
    inbox: Inbox,
    monkeypatch: pytest.MonkeyPatch,
    is_listed: bool,
    state: str,
) -> None:
    source.put(Failed(document(1).id, "One", "HTTP 500", is_transient=True))
    if not is_listed:
        monkeypatch.setattr(source, "units", raising(Unavailable("https://api.test/units", "HTTP 503")))
    inbox.tell_of(1)
    worker.run_pass()
    assert inbox.states() == [state]
    assert [one.activity for one in services.catalog.failures.all()] == ([] if is_listed else ["listing"])


def _all_pending(services: Services) -> list[PendingEvent]:
    """Pending events, those whose time has not come included."""
    from sqlalchemy import update

    from pipelines.catalog import tables

    with services.catalog._engine.begin() as database:
        database.execute(update(tables.events).values(next_attempt=None))
    return services.catalog.events.pending(["acme"], 10)


def test_an_object_that_cannot_be_read_is_recorded_and_its_event_done(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox
) -> None:
    source.put(Failed(document(1).id, "One", "HTTP 500"))
    inbox.tell_of(1, 2)
    worker.run_pass()
    assert inbox.states() == ["done"]
    assert [one["id"] for one in services.catalog.documents.troubled()] == [document(1).id]
    assert set(visible(services)) == {0, 1, 2}  # what is there stays until it can be read


@pytest.mark.parametrize("what", ["acme", "acme/unit"])
def test_the_events_of_what_is_paused_wait(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox, what: str
) -> None:
    def pause(paused: bool) -> None:
        if what == "acme":
            services.catalog.connections.pause("acme", paused)
        else:
            services.catalog.units.pause("acme", "unit", paused)

    pause(True)
    source.put(document(1, content="Edited."))
    inbox.tell_of(1)
    worker.run_pass()
    assert inbox.states() == ["pending"]
    pause(False)
    services.catalog.replays.replay(connection="acme")
    Worker(services, ConnectorPool(lambda connection: source), worker._reporter).run_pass()
    assert (inbox.states(), visible(services)[1]) == (["done"], "Edited.")


def test_a_unit_that_another_process_works_on_is_left_for_later(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox
) -> None:
    with services.catalog.leases.hold("acme", "unit"):
        inbox.tell_of(1)
        worker.run_pass()
    (event,) = services.catalog.events.list_recent()
    assert (event["state"], event["attempts"]) == ("pending", 0)


@pytest.mark.parametrize("busy", ["unit", "zebra"])
def test_an_event_about_all_units_waits_for_the_one_that_is_busy(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox, busy: str
) -> None:
    services.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [UNIT, Unit("zebra", "Zebra")])
    with services.catalog.leases.hold("acme", busy):
        inbox.tell(Invalidation("unit"))
        worker.run_pass()
    (event,) = services.catalog.events.list_recent()
    assert (event["state"], event["attempts"], event["reason"]) == ("pending", 0, None)


def test_a_worker_killed_before_publishing_does_it_again(
    services: Services, source: MemorySource, inbox: Inbox, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.put(document(1, content="Edited."))
    inbox.tell_of(1)
    with monkeypatch.context() as killed:
        killed.setattr("pipelines.events.worker.publish", lambda services: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Worker(services, ConnectorPool(lambda connection: source), reports).run_pass()
    assert inbox.states() == ["pending"]
    assert isinstance(services.embedder, FakeEmbedder)
    requests = services.embedder.requests
    Worker(services, ConnectorPool(lambda connection: source), reports).run_pass()
    assert (inbox.states(), visible(services)[1]) == (["done"], "Edited.")
    assert services.embedder.requests == requests


def test_a_round_retries_failed_documents_that_are_due(
    services: Services, source: MemorySource, worker: Worker
) -> None:
    source.put(Failed(document(5).id, "Five", "HTTP 500"))
    from pipelines.ingestion.unit_sync import sync_unit

    sync_unit(services, CONNECTION, source, Unit("unit", "Unit"))
    source.put(document(5, content="Readable now."))
    worker.run_maintenance()
    assert 5 not in visible(services)
    _due_now(services)
    worker.run_maintenance()
    assert visible(services)[5] == "Readable now."


def _due_now(services: Services) -> None:
    from sqlalchemy import update

    from pipelines.catalog import tables

    with services.catalog._engine.begin() as database:
        database.execute(update(tables.documents).values(next_attempt=datetime.now(UTC) - timedelta(seconds=1)))


def test_events_are_listed_by_connection_and_state(services: Services, inbox: Inbox) -> None:
    inbox.tell(Invalidation("unit", "unit"))
    inbox.tell(delivery="nothing")
    assert [event["state"] for event in services.catalog.events.list_recent()] == ["ignored", "pending"]
    assert [event["state"] for event in services.catalog.events.list_recent("acme", "pending")] == ["pending"]
    assert services.catalog.events.list_recent("other") == []
    ((count, since),) = services.catalog.events.backlog().values()
    assert (count, since <= datetime.now(UTC)) == (1, True)


def test_one_event_can_be_about_all_units(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox
) -> None:
    source.put(document(8))
    inbox.tell(Invalidation("unit"))
    worker.run_pass()
    assert 8 in visible(services)


def test_channels_that_expire_are_kept_open(
    services: Services, source: MemorySource, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def renew_channels(kept: dict[str, Any], now: datetime) -> dict[str, Any]:
        asked.append(dict(kept))
        return {"feed": {"id": "c1"}}

    monkeypatch.setattr(source, "renew_channels", renew_channels, raising=False)
    worker.run_maintenance()
    services.catalog.connections.pause(CONNECTION.id, True)
    worker.run_maintenance()
    assert asked == [{}, {"feed": {"id": "c1"}}]


def test_maintenance_removes_what_is_no_longer_kept_and_outlives_trouble_with_it(
    worker: Worker, services: Services, source: MemorySource, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    retention = RetentionSettings(deleted_text_days=0, events_days=0)
    services.settings = services.settings.model_copy(update={"retention": retention})
    source.remove(document(0).id)
    inbox.tell_of(0)
    worker.run_pass()
    with monkeypatch.context() as away:
        away.setattr(services.landing.files, "remove_rows", unreadable)
        worker.run_maintenance()
    assert inbox.states() == ["done"], "the next pass does the rest"
    worker.run_maintenance()
    assert inbox.states() == []
    files = services.landing.files
    rows = [row for path in files.list("") if path.endswith(".parquet") for row in files.rows(path)]
    assert rows
    assert not any("Text of issue 0." in str(row) for row in rows)


def unreadable(*_: object) -> None:
    raise OSError("the landing is away")


def test_a_delivery_is_kept_as_it_came(services: Services, inbox: Inbox) -> None:
    inbox.tell(Invalidation("unit", "unit"))
    (event,) = services.catalog.events.list_recent()
    assert services.catalog.events.body(event["id"]) == b"{}"
    assert services.catalog.events.body(4711) is None


def test_a_slow_file_of_one_connection_keeps_no_other_waiting(
    services: Services, source: MemorySource, inbox: Inbox, reports: Reports
) -> None:
    other = GitHubConnection(id="other", source="github", token=SecretStr("t"))
    services.settings = services.settings.model_copy(update={"connections": (CONNECTION, other)})
    services.catalog.units.replace_listing("other", "github", [Unit("of-other", "Of other")])
    beside, mine = MemorySource(), document(0, id="github:other/1", connection="other", unit="of-other")
    worker = Worker(services, ConnectorPool(lambda one: {"acme": source, "other": beside}[one.id]), reports)
    slow = document(1, content=files.pdf("a slow file"), content_type=files.PDF)
    services.chunkers.chunk(slow)
    (child,) = (one for one in psutil.Process().children() if "pipelines.chunking.isolated.child" in one.cmdline())
    child.suspend()  # it takes its time, as a hostile file does
    source.put(slow)
    inbox.tell_of(1)
    with running(services, worker.run), ExitStack() as finally_:
        finally_.callback(child.resume)
        assert _until(lambda: services.catalog.documents.states([slow.id])[slow.id].reason == UNFINISHED)
        beside.put(mine)
        inbox.tell(Invalidation("document", "of-other", mine.id), connection="other")
        assert _until(lambda: bool(services.reader.document(mine.id, _anybody())))
        assert inbox.states() == ["pending", "done"]
        child.resume()
        assert _until(lambda: visible(services).get(1) == "a slow file")
        assert _until(lambda: inbox.states() == ["done", "done"])


@pytest.mark.parametrize("postponed", [False, True])
def test_a_worker_at_rest_is_woken_by_an_event_and_by_the_clock(
    services: Services,
    source: MemorySource,
    worker: Worker,
    inbox: Inbox,
    monkeypatch: pytest.MonkeyPatch,
    postponed: bool,
) -> None:
    monkeypatch.setattr("pipelines.events.worker.SECONDS_BETWEEN_LOOKS", 3_600)
    source.put(document(1, content="Edited."))
    with running(services, worker.run):
        assert _until(lambda: worker._looks_at > time.monotonic() + 3_000)
        with Services(services.settings, FakeEmbedder()) as server:  # as another process stores it
            Inbox(server.catalog).tell_of(1)
            if postponed:
                server.catalog.events.postpone([1])
        assert _until(lambda: inbox.states() == ["done"])


@dataclass
class Interrupted(MemorySource):
    """While it is asked for the first time, something else happens."""

    meanwhile: Callable[[], object] = int

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        meanwhile, self.meanwhile = self.meanwhile, int
        meanwhile()
        yield from super().fetch(unit, document_ids)


def test_of_two_workers_each_reads_its_share_once(
    services: Services, source: MemorySource, reports: Reports, inbox: Inbox
) -> None:
    """The second one takes the inbox's events before the first has settled any."""
    units = [Unit(f"u{number}", f"Unit {number}") for number in range(4)]
    services.catalog.units.replace_listing("acme", "github", units)
    of_first, of_second = Interrupted(), MemorySource()
    for number, unit in enumerate(units):
        for one in (of_first, of_second):
            one.put(document(10 + number, unit=unit.id))
        inbox.tell(Invalidation("document", unit.id, document(10 + number).id))
    first = Worker(services, ConnectorPool(lambda connection: of_first), reports)
    with Services(services.settings, FakeEmbedder()) as beside:
        beside.catalog.claims.renew()
        second = Worker(beside, ConnectorPool(lambda connection: of_second), reports)
        of_first.meanwhile = second.run_pass
        first.run_pass()
    assert (of_first.requests, of_second.requests) == (2, 2)
    assert inbox.states() == ["done"] * 4


def test_what_another_worker_has_settled_is_not_done_again(
    services: Services,
    source: MemorySource,
    worker: Worker,
    reports: Reports,
    inbox: Inbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between the look into the inbox and the claim."""
    inbox.tell_of(1)
    read = services.catalog.events.pending

    def read_late(*arguments: Any, **named: Any) -> list[PendingEvent]:
        found = read(*arguments, **named)
        monkeypatch.undo()
        Worker(services, ConnectorPool(lambda connection: source), reports).run_pass()
        return found

    monkeypatch.setattr(services.catalog.events, "pending", read_late)
    worker.run_pass()
    assert (source.requests, inbox.states()) == (1, ["done"])


def _until(is_so: Callable[[], bool], seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.05)
    return is_so()
