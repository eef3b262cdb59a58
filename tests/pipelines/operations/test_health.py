"""What is in trouble, made of the facts that the catalog keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import httpx
import pytest

from connectors.errors import (
    AccessDenied,
    AlreadyFailed,
    AuthenticationFailed,
    InvalidResponse,
    RateLimited,
    Unavailable,
)
from pipelines.catalog.failures import Cause, Failure
from pipelines.catalog.freshness import Freshness
from pipelines.catalog.gates import ShutGate
from pipelines.catalog.unfinished_events import DeadLetters, WaitingEvents
from pipelines.errors import (
    CatalogUnavailable,
    DocumentError,
    EmbeddingRefused,
    EmbeddingUnavailable,
    IndexBusy,
    IndexStoreError,
    IndexUnavailable,
    TextRefused,
)
from pipelines.ingestion.causes import describe_error, find_cause
from pipelines.operations.health import Health, combine_incidents
from pipelines.operations.incidents import Incident

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def failure(connection: str, unit: str, cause: Cause, since: datetime = NOON, **fields: Any) -> Failure:
    values: dict[str, Any] = {"activity": "sync" if unit else "listing", "error": "HTTP 503", "attempts": 1} | fields
    return Failure(connection=connection, unit=unit, cause=cause, since=since, **values)


def only(health: Health) -> Incident:
    (incident,) = health.incidents
    return incident


def test_nothing_wrong_is_good() -> None:
    health = combine_incidents()
    assert (health.is_good, health.status, health.as_json()) == (True, "ok", {"status": "ok", "incidents": []})


def test_units_that_one_source_keeps_waiting_are_one_incident_since_the_first() -> None:
    failures = [failure("acme", "a", "source_unavailable", LATER), failure("acme", "b", "source_unavailable")]
    incident = only(combine_incidents([*failures, failure("acme", "", "source_unavailable", LATER, attempts=4)]))
    assert (incident.key, incident.since, incident.attempts) == ("source_unavailable/acme", NOON, 4)
    assert incident.units == ("acme/b", "acme/a")
    assert incident.summary == "acme: the source does not answer, since 2026-03-01 12:00 UTC"


@pytest.mark.parametrize("cause", ["embedding", "index", "landing", "catalog"])
def test_a_backend_of_all_is_one_incident_of_all(cause: Cause) -> None:
    waiting = [WaitingEvents("wiki", cause, 7, NOON, "no answer")]
    health = combine_incidents([failure("acme", "a", cause), failure("chat", "b", cause)], waiting)
    incident = only(health)
    assert (incident.connection, incident.events, incident.units) == ("", 7, ("acme/a", "chat/b"))
    assert health.of(["other"]) == (incident,)


def test_two_sources_are_two_incidents_and_each_connection_has_its_own() -> None:
    health = combine_incidents(
        [failure("acme", "", "source_unavailable"), failure("chat", "", "source_credentials", LATER)]
    )
    assert [one.key for one in health.incidents] == ["source_unavailable/acme", "source_credentials/chat"]
    assert [one.connection for one in health.of(["chat"])] == ["chat"]


def test_what_fails_for_a_reason_of_its_own_is_told_by_what_was_tried() -> None:
    incident = only(combine_incidents([failure("acme", "", "other", activity="memberships", error="no scope")]))
    assert incident.key == "other/acme/memberships"
    assert incident.line == (
        "acme: who belongs to which group cannot be read, since 2026-03-01 12:00 UTC (1 attempts): no scope; "
        "the error says what to mend; the next sync tries again"
    )


def test_many_units_are_named_by_the_first() -> None:
    line = only(combine_incidents([failure("acme", f"u{number}", "index") for number in range(7)])).line
    assert "[acme/u0, acme/u1, acme/u2, acme/u3, acme/u4 and 2 more]" in line


def test_dead_letters_and_a_shut_gate_are_incidents() -> None:
    health = combine_incidents(
        dead=[DeadLetters("acme", 3, LATER, "access denied")],
        gate=ShutGate("knowledge", NOON, ("golden questions: 0.1",), "knowledge-1: 2 documents, 3 points"),
    )
    gate, dead = health.incidents
    assert (gate.key, gate.error) == ("gate", "golden questions: 0.1; knowledge-1: 2 documents, 3 points wait")
    assert dead.summary == ("acme: 3 events could not be processed and are given up, since 2026-03-01 13:00 UTC")
    assert dead.error == "access denied"


def late(last_sync: datetime | None) -> Freshness:
    lag = LATER - last_sync if last_sync else None
    return Freshness("acme", None, last_sync, lag, timedelta(minutes=30), 0, None, False)


def test_a_connection_is_late_only_where_nothing_says_why() -> None:
    incident = only(combine_incidents(late=[late(NOON)]))
    assert (incident.kind, incident.since) == ("late", NOON + timedelta(minutes=30))
    assert only(combine_incidents([failure("acme", "", "source_limit")], late=[late(NOON)])).kind == "source_limit"
    assert combine_incidents(late=[late(None)]).is_good, "its first sync is still to come"


def raised_from(error: Exception, origin: Exception) -> Exception:
    error.__cause__ = origin
    return error


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (Unavailable("api", "HTTP 502"), "source_unavailable"),
        (InvalidResponse("api", "cut short"), "source_unavailable"),
        (AlreadyFailed(Unavailable("api", "HTTP 502")), "source_unavailable"),
        (RateLimited("api", 9.0), "source_limit"),
        (AuthenticationFailed("api", "expired"), "source_credentials"),
        (AccessDenied("api", "no scope"), "other"),
        (EmbeddingUnavailable("HTTP 503"), "embedding"),
        (EmbeddingRefused("wrong key"), "embedding"),
        (TextRefused("too odd"), "other"),
        (IndexUnavailable("answered 503"), "index"),
        (IndexBusy("held"), "index"),
        (IndexStoreError("answered 400"), "other"),
        (CatalogUnavailable("connection refused"), "catalog"),
        (OSError(28, "No space left on device"), "landing"),
        (raised_from(RuntimeError("load failed"), ConnectionError("refused")), "landing"),
        (FileNotFoundError("a load is missing"), "other"),
        (DocumentError("not a PDF"), "other"),
        (ZeroDivisionError(), "other"),
        (httpx.ConnectError("refused"), "other"),
    ],
)
def test_an_error_comes_from_a_backend_or_from_the_object(error: Exception, cause: Cause) -> None:
    assert find_cause(error) == cause


def test_an_object_store_away_is_the_landing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3 = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:9",
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    with pytest.raises(Exception, match="Could not connect") as raised:
        s3.list_buckets()
    error = raised.value
    assert find_cause(error) == "landing"
    assert describe_error(error).startswith("landing.url: EndpointConnectionError: Could not connect")
