"""What must be true once nothing goes wrong any more."""

from __future__ import annotations

import os
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import httpx
from sqlalchemy import Row, create_engine, text

from pipelines.events.spool import Spool
from pipelines.index.contract import Payload
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.chaos.faults import Faults
from tests.chaos.people import Outside
from tests.chaos.system import QUESTION, System

PATIENCE = 900.0
"""Seconds: on a busy machine a run takes a minute, and some wait behind others."""
SECONDS_UNTIL_KEPT = 15.0
"""Between the answer of the embedding API and the moment when it is kept, on a busy machine."""
ENDED = ("SUCCESS", "FAILURE", "CANCELED")


def wait_until_drained(system: System) -> tuple[float, list[str]]:
    """Until no event waits, in the spool or the inbox, and no run is under way.

    Returns the seconds, and what is stuck after `PATIENCE`.
    """
    started = time.monotonic()
    while True:
        waiting = _states(system.catalog).get("pending", 0) + Spool(system.state).count()
        try:
            running = [one for one in system.dagster.all_statuses() if one not in ENDED]
        except (httpx.HTTPError, KeyError, TypeError):
            running = ["the webserver does not answer"]
        if not waiting and not running:
            return time.monotonic() - started, []
        if time.monotonic() - started > PATIENCE:
            return PATIENCE, [f"{waiting:.0f} events wait, runs: {dict(Counter(running))}"]
        time.sleep(1)


def find_wrong(system: System, faults: Faults, outside: Outside) -> Iterator[str]:
    """Each thing that is not as it must be."""
    yield from _find_lost_deliveries(system, outside.deliveries.taken)
    yield from _find_broken_answers("deliveries", outside.deliveries.answers)
    yield from _find_broken_answers("questions", outside.askers.answers)
    states = _states(system.catalog)
    yield from (f"{count} events are {state}" for state, count in states.items() if state not in ("done", "ignored"))
    yield from _find_wrong_documents(system)
    yield from _find_paid_twice(system, faults)
    for service in system.supervisor.services.values():
        if service.process is None or service.process.poll() is not None:
            yield f"{service.name} does not run"
        yield from (f"{service.name} took {seconds:.0f} s to stop" for seconds in service.slow_stops)


def _find_broken_answers(what: str, answers: Mapping[str, int]) -> Iterator[str]:
    """Errors that nobody may see: what cannot be answered is 503."""
    yield from (f"{count} {what} were answered {code}" for code, count in answers.items() if code in ("500", "502"))


def _find_lost_deliveries(system: System, taken: Collection[str]) -> Iterator[str]:
    stored = {row.delivery for row in _select(system.catalog, "SELECT delivery FROM events")}
    yield from (f"delivery {one} was answered and is not in the inbox" for one in sorted(set(taken) - stored))
    if waiting := Spool(system.state).count():
        yield f"{waiting:.0f} deliveries wait in the spool"
    yield from (f"{file} was set aside as damaged" for file in (system.state / "spool").glob("damaged-*"))


def _find_wrong_documents(system: System) -> Iterator[str]:
    found: dict[str, list[Payload]] = defaultdict(list)
    for payload in _points(system).values():
        found[payload["url"]].append(payload)
    for url, words in system.source.words.items():
        texts = " ".join(payload["text"] for payload in found[url])
        if words not in texts:
            yield f"{url}: {words} is lost; found is {texts[:80]!r}"
        if texts.count("gauge") != 1 or len({payload["document_id"] for payload in found[url]}) != 1:
            yield f"{url}: there are {len(found[url])} points of it: {texts[:160]!r}"
    yield from (f"{url}: is still found" for url in found.keys() - system.source.words.keys() if "/issues/" in url)


def _points(system: System) -> Mapping[str, Payload]:
    os.environ.update(system.environment)
    with Services(load_settings(system.directory / "headrace.yaml")) as services, services.store() as store:
        return dict(store.scan())


def _find_paid_twice(system: System, faults: Faults) -> Iterator[str]:
    """A text may be paid again if its answer was on its way when somebody was killed, or nobody could keep it."""
    for words, moments in system.embeddings.answered.items():
        if words == QUESTION:  # which each server embeds for itself
            continue
        for moment in sorted(moments)[:-1]:
            if not any(since - SECONDS_UNTIL_KEPT <= moment <= until + 1 for since, until in faults.unanswered):
                yield f"{words!r} was paid twice"


def _states(catalog: str) -> dict[str, int]:
    return {
        row.state: row.events for row in _select(catalog, "SELECT state, count(*) AS events FROM events GROUP BY 1")
    }


def _select(catalog: str, statement: str) -> Sequence[Row[Any]]:
    engine = create_engine(catalog.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        rows = connection.execute(text(statement)).all()
    engine.dispose()
    return rows
