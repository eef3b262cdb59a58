"""Totals grow, whoever adds to them, and outlive who has counted."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Thread

from pipelines.catalog import Catalog, open_catalog
from pipelines.catalog.totals import Total
from pipelines.settings import Settings

TOKENS, ERRORS = Total("embedding_tokens", "acme"), Total("errors", "acme", "index")


def test_processes_add_to_the_same_totals(catalog: Catalog, catalog_settings: Settings) -> None:
    def count() -> None:
        with open_catalog(catalog_settings) as other:
            for _ in range(20):
                other.totals.add({TOKENS: 2, ERRORS: 1})

    threads = [Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert catalog.totals.all() == {TOKENS: 80, ERRORS: 40}


def test_what_is_nothing_is_not_written(catalog: Catalog) -> None:
    catalog.totals.add({TOKENS: 0})
    assert catalog.totals.all() == {}


def test_what_is_published_and_checked_last_is_what_counts(catalog: Catalog) -> None:
    assert catalog.publications.get("knowledge") is None
    catalog.publications.record("knowledge", documents=1, points=2)
    catalog.publications.record("knowledge", documents=3, points=4)
    found = catalog.publications.get("knowledge")
    assert found is not None
    assert (found.documents, found.points) == (3, 4)
    catalog.publications.record_checks("knowledge", {"agrees": True, "golden": True}, datetime.now(UTC))
    catalog.publications.record_checks("knowledge", {"agrees": False, "golden": True}, datetime.now(UTC))
    assert catalog.publications.checks("knowledge") == {"agrees": False, "golden": True}
