"""What a request may hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.retrieval.schema import SearchRequest


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"query": ""}, "query"),
        ({"query": " \n "}, "query"),
        ({"query": "a\0b"}, "query"),
        ({"query": "x" * 10_001}, "query"),
        ({"query": 7}, "query"),
        ({"top_k": 0}, "top_k"),
        ({"top_k": 101}, "top_k"),
        ({"top_k": "5"}, "top_k"),
        ({"top_k": True}, "top_k"),
        ({"mode": "magic"}, "mode"),
        ({"user": "x" * 321}, "user"),
        ({"user": "\0"}, "user"),
        ({"surprise": 1}, "surprise"),
        ({"filters": None}, "filters"),
        ({"filters": {"sources": ["gopher"]}}, "filters.sources.0"),
        ({"filters": {"units": "acme/api"}}, "filters.units"),
        ({"filters": {"kinds": ["\ud800"]}}, "filters.kinds.0"),
        ({"filters": {"readers": ["public"]}}, "filters.readers"),
        ({"filters": {"updated_after": "yesterday"}}, "filters.updated_after"),
        ({"filters": {"updated_after": "0001-01-01T00:00:00+23:00"}}, "filters.updated_after"),
        ({"filters": {"updated_before": "9999-12-31T23:59:59-23:00"}}, "filters.updated_before"),
        ({"recency_half_life_days": 0}, "recency_half_life_days"),
        ({"recency_half_life_days": float("inf")}, "recency_half_life_days"),
        ({"recency_half_life_days": float("nan")}, "recency_half_life_days"),
        ({"target_document_tokens": 0}, "target_document_tokens"),
        ({"target_document_tokens": 100_001}, "target_document_tokens"),
    ],
)
def test_what_does_not_fit_is_named(fields: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as refused:
        SearchRequest.model_validate({"query": "certificate"} | fields)
    assert ".".join(map(str, refused.value.errors()[0]["loc"])) == wrong


def test_a_question_alone_is_enough() -> None:
    request = SearchRequest.model_validate({"query": "  certificate "})
    assert (request.query, request.top_k, request.mode, request.user) == ("certificate", 10, "hybrid", None)


@pytest.mark.parametrize("written", ["2026-01-02T03:00:00", "2026-01-02T03:00:00Z", "2026-01-02T05:00:00+02:00"])
def test_times_are_utc_unless_they_say_otherwise(written: str) -> None:
    request = SearchRequest.model_validate({"query": "x", "filters": {"updated_after": written}})
    assert request.filters.updated_after == datetime(2026, 1, 2, 3, tzinfo=UTC)
