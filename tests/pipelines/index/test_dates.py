"""Dates: which words they are found by, and that they are found however they are written."""

from __future__ import annotations

from contextlib import closing

import pytest

from pipelines.index.contract import Filters
from pipelines.index.dates import with_dates
from tests.pipelines.index.conftest import Configured, changes_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("on 3 September 2026", "202609 20260903"),
        ("the 3rd of September, 2026", "202609 20260903"),
        ("Sept. 3, 2026", "202609 20260903"),
        ("am 3. September 2026", "202609 20260903"),
        ("03.09.2026", "202609 20260903"),
        ("2026-09-03T10:00:00Z", "202609 20260903"),
        ("2026-09", "202609"),
        ("im März 2026", "202603"),
        ("from 1 May 2026 to June 2026", "202605 20260501 202606"),
        ("the 31st of June 2026", ""),
        ("a budget for 2026", ""),
        ("part 12026-09-03, 2026-19-03 and 2,000 marches", ""),
    ],
)
def test_words_of_dates(text: str, words: str) -> None:
    assert with_dates(text) == (f"{text}\n{words}" if words else text)


TEXTS = {
    "written": "The listener was replaced on 3 September 2026.",
    "iso": "2026-09-14: the listener was replaced.",
    "other": "The listener was replaced on 3 October 2026, and 9 listeners in 2026 in all.",
}


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("listener 2026-09-03", ["written", "iso"]),
        ("listener September 14th, 2026", ["iso", "written"]),
        ("listener 03.10.2026", ["other"]),
    ],
)
def test_a_date_is_found_however_it_is_written(edge: Configured, question: str, first: list[str]) -> None:
    with closing(edge.store()) as store:
        store.apply(changes_of(TEXTS))
        store.publish()
    with closing(edge.reader()) as reader:
        hits = reader.search(mode="lexical", text=question, dense=None, filters=Filters(readers=None), limit=3)
    assert [hit.payload["document_id"] for hit in hits][: len(first)] == first
