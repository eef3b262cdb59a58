"""Taking documents while the landing has trouble."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.push.settings import PushConnection
from connectors.pushed_documents import PushedDocument, StoredDocument
from pipelines.catalog import Catalog, open_catalog
from pipelines.errors import LandingUnavailable
from pipelines.landing import Landing
from pipelines.landing.pushed_bodies import PushedBodies
from pipelines.pushed import DocumentIntake, intake
from pipelines.settings import Settings

ACME = PushConnection(id="acme-push", source="push", token=SecretStr("the-key-of-acme-push-alone"))
ADA, BOB = "ada@acme.test", "bob@acme.test"


@pytest.fixture
def catalog(settings: Settings) -> Iterator[Catalog]:
    with open_catalog(settings) as opened:
        yield opened


@pytest.fixture
def bodies(settings: Settings) -> PushedBodies:
    return PushedBodies(Landing(settings).files)


def put(taking: DocumentIntake, text: str, *readers: str) -> str:
    said: dict[str, Any] = {"title": "Leave", "text": text, "readers": list(readers)}
    return taking.put(ACME, "leave", PushedDocument.model_validate(said), None)[0]


def test_a_landing_that_hangs_is_away_and_who_lost_the_right_has_lost_it(
    catalog: Catalog, bodies: PushedBodies, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking, ended = DocumentIntake(catalog, bodies), threading.Event()
    assert put(taking, "Twelve weeks.", ADA, BOB) == "created"
    monkeypatch.setattr(intake, "SECONDS_TO_KEEP", 0.1)
    with monkeypatch.context() as hanging:
        hanging.setattr(PushedBodies, "write", lambda *_: ended.wait(30))
        for _ in range(intake.WRITERS + 1):
            with pytest.raises(LandingUnavailable):
                put(taking, "Ten weeks.", BOB)
        ended.set()
    known = catalog.pushed_documents.find("acme-push", ["leave"])["leave"]
    assert isinstance(known, StoredDocument)
    assert known.fields.readers == (f"user:{BOB}",), "and the text is as it was"
    monkeypatch.undo()
    assert put(taking, "Ten weeks.", BOB) == "changed"
    assert put(taking, "Ten weeks.", BOB) == "unchanged"


def test_of_equal_ones_at_once_one_has_changed_something(catalog: Catalog, bodies: PushedBodies) -> None:
    taking, results, together = DocumentIntake(catalog, bodies), list[str](), threading.Barrier(4)

    def push() -> None:
        together.wait()
        results.append(put(taking, "Twelve weeks.", ADA))

    threads = [threading.Thread(target=push) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["created", "unchanged", "unchanged", "unchanged"]
