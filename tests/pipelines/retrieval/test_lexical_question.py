"""Words of time in the lexical leg, on Friday, 27 November 2026."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipelines.retrieval.lexical_question import lexical_question
from pipelines.retrieval.time_words import asked_time

NOW = datetime(2026, 11, 27, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("incidents in June 2026", "incidents 202606"),
        ("tickets in September", "tickets September 202609"),
        ("outage on 3 March 2026, at night", "outage 20260303, at night"),
        ("outage am 3. März", "outage März 20260303"),
        (
            "exports first week of November 2026",
            "exports 20261101 20261102 20261103 20261104 20261105 20261106 20261107",
        ),
        ("changes since Wednesday", "changes 20261125 20261126 20261127 20261128"),
        ("Q3 revenue", "202607 202608 202609 revenue"),
        ("said yesterday", "said 20261126"),
        ("hiring in 2025", "hiring in 2025"),
        ("the latest release", "the latest release"),
        ("how to roll back", "how to roll back"),
        ("since January 2026", "since January 2026"),
    ],
)
def test_days_and_months_stand_for_the_words_that_name_them(question: str, asked: str) -> None:
    assert lexical_question(question, asked_time(question, NOW), NOW) == asked
