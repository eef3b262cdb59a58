"""What connectors keep of their sources' answers."""

from __future__ import annotations

from datetime import timedelta

from pipelines.catalog import Catalog


def test_an_answer_is_there_the_next_time_for_its_connection_alone(catalog: Catalog) -> None:
    catalog.answers("acme").put("list", {"etag": "an earlier one"})
    catalog.answers("acme").put("list", {"etag": "1"})
    assert catalog.answers("acme").get("list") == {"etag": "1"}
    assert catalog.answers("acme").get("another") is None
    assert catalog.answers("other").get("list") is None


def test_it_goes_with_its_connection(catalog: Catalog) -> None:
    for connection in ("acme", "other"):
        catalog.answers(connection).put("list", {"etag": "1"})
    catalog.purging.forget("acme", [], after=timedelta(), whole=False, state=False)
    assert catalog.answers("acme").get("list")
    catalog.purging.forget("acme", [], after=timedelta(), whole=True, state=False)
    assert catalog.answers("acme").get("list") is None
    assert catalog.answers("other").get("list")
