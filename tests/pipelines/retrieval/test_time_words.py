"""Words of a question that say of when the answer is, on Friday, 27 November 2026."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from pipelines.retrieval.time_factor import time_factor
from pipelines.retrieval.time_words import AskedTime, asked_time

NOW = datetime(2026, 11, 27, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("question", "words", "start", "end"),
    [
        ("what changed since Monday?", "since Monday", "2026-11-23", None),
        ("since 2026-11-20", "since 2026-11-20", "2026-11-20", None),
        ("what was decided in March", "in March", "2026-03-01", "2026-04-01"),
        ("what was decided in December", "in December", "2025-12-01", "2026-01-01"),
        ("incidents in June 2026", "in June 2026", "2026-06-01", "2026-07-01"),
        ("deploy window on 11 February", "on 11 February", "2026-02-11", "2026-02-12"),
        ("the outage of March 3rd, 2026", "March 3rd, 2026", "2026-03-03", "2026-03-04"),
        ("messages of the first week of November", "first week of November", "2026-11-01", "2026-11-08"),
        ("incidents last week", "last week", "2026-11-16", "2026-11-23"),
        ("incidents this month", "this month", "2026-11-01", "2026-12-01"),
        ("pages of the last 3 days", "last 3 days", "2026-11-24", None),
        ("what did we say yesterday", "yesterday", "2026-11-26", "2026-11-27"),
        ("on Monday", "on Monday", "2026-11-23", "2026-11-24"),
        ("revenue in Q3", "Q3", "2026-07-01", "2026-10-01"),
        ("hiring in 2025", "in 2025", "2025-01-01", "2026-01-01"),
        ("Was wurde letzte Woche entschieden?", "letzte Woche", "2026-11-16", "2026-11-23"),
        ("Was ist seit Montag neu?", "seit Montag", "2026-11-23", None),
        ("Warum fehlten am 3. September Messwerte?", "am 3. September", "2026-09-03", "2026-09-04"),
        ("Störungen im März 2025", "im März 2025", "2025-03-01", "2025-04-01"),
        ("in den letzten zwei Wochen", "in den letzten zwei Wochen", "2026-11-13", None),
        ("what did Bo write two days ago?", "two days ago", "2026-11-25", "2026-11-26"),
        ("the outage 3 weeks ago", "3 weeks ago", "2026-11-02", "2026-11-09"),
        ("a month ago we moved", "a month ago", "2026-10-01", "2026-11-01"),
        ("11 months ago", "11 months ago", "2025-12-01", "2026-01-01"),
        ("a couple of weeks ago", "a couple of weeks ago", "2026-11-09", "2026-11-16"),
        ("24 hours ago", "24 hours ago", "2026-11-26", "2026-11-27"),
        ("everything since two weeks ago", "since two weeks ago", "2026-11-09", None),
        ("commits of the last 10 days", "last 10 days", "2026-11-17", None),
        ("the last seven days", "last seven days", "2026-11-20", None),
        ("in the last few days", "in the last few days", "2026-11-24", None),
        ("in den letzten paar Tagen", "in den letzten paar Tagen", "2026-11-24", None),
        ("what was said last Friday", "last Friday", "2026-11-20", "2026-11-21"),
        ("what was said last Thursday", "last Thursday", "2026-11-26", "2026-11-27"),
        ("what was said this morning", "this morning", "2026-11-27", "2026-11-28"),
        ("the day before yesterday", "the day before yesterday", "2026-11-25", "2026-11-26"),
        ("revenue of the last quarter", "last quarter", "2026-07-01", "2026-10-01"),
        ("Was wurde vor zwei Wochen entschieden?", "vor zwei Wochen", "2026-11-09", "2026-11-16"),
        ("Ausfall vor 3 Tagen", "vor 3 Tagen", "2026-11-24", "2026-11-25"),
        ("vor einem Jahr", "vor einem Jahr", "2025-01-01", "2026-01-01"),
        ("Was hat Bo letzten Freitag geschrieben?", "letzten Freitag", "2026-11-20", "2026-11-21"),
        ("Was gilt seit drei Wochen?", "seit drei Wochen", "2026-11-06", None),
        ("Was fiel am 03.09.2026 aus?", "am 03.09.2026", "2026-09-03", "2026-09-04"),
        ("letztes Quartal", "letztes Quartal", "2026-07-01", "2026-10-01"),
        ("Qu'a-t-on décidé il y a deux semaines ?", "il y a deux semaines", "2026-11-09", "2026-11-16"),
        ("la panne d'il y a 3 jours", "il y a 3 jours", "2026-11-24", "2026-11-25"),
        ("il y a un an", "il y a un an", "2025-01-01", "2026-01-01"),
        ("Quoi de neuf depuis lundi ?", "depuis lundi", "2026-11-23", None),
        ("les incidents de la semaine dernière", "la semaine dernière", "2026-11-16", "2026-11-23"),
        ("le mois dernier", "le mois dernier", "2026-10-01", "2026-11-01"),
        ("cette année", "cette année", "2026-01-01", "2027-01-01"),
        ("les 10 derniers jours", "les 10 derniers jours", "2026-11-17", None),
        ("vendredi dernier", "vendredi dernier", "2026-11-20", "2026-11-21"),
        ("les décisions de février 2025", "de février 2025", "2025-02-01", "2025-03-01"),
        ("en mars", "en mars", "2026-03-01", "2026-04-01"),
        ("la panne du 3 septembre", "du 3 septembre", "2026-09-03", "2026-09-04"),
        ("les messages d'hier", "hier", "2026-11-26", "2026-11-27"),
    ],
)
def test_periods(question: str, words: str, start: str, end: str | None) -> None:
    asked = asked_time(question, NOW)
    assert asked is not None
    assert asked.start is not None
    shown = (asked.words, asked.start.date(), asked.end.date() if asked.end else None)
    assert shown == (words, date.fromisoformat(start), date.fromisoformat(end) if end else None)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("the latest release notes", "latest"),
        ("Is it fixed by now?", "by now"),
        ("Current state of the negotiation", "Current"),
        ("what is our current version", "current"),
        ("who is currently on call?", "currently"),
        ("Wie ist der aktuelle Stand?", "aktuelle"),
    ],
)
def test_the_newest(question: str, words: str) -> None:
    assert asked_time(question, NOW) == AskedTime(words)


@pytest.mark.parametrize(
    "question",
    [
        "the travel budget for 2027",
        "what may I do in March 2030?",
        "31 June",
        "May I take a day off?",
        "2026-11-17T00:10:22Z listener: expired certificate",
        "march to the sluice",
        "the last postmortem",
        "currents in the river",
        "what is the maximum current of the wiper motor",
        "current draw in mA",
        "alternating current at the sluice",
        "how large is the current?",
        "Was steht hier über die Pumpe?",
        "Was ist vor der Freigabe zu tun?",
        "Où y a-t-il deux pompes ?",
        "the mission to Mars",
        "a long time ago",
    ],
)
def test_questions_that_name_no_time_of_a_document(question: str) -> None:
    assert asked_time(question, NOW) is None


MARCH = AskedTime("in March", datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("asked", "created", "updated", "factor"),
    [
        pytest.param(MARCH, "2026-03-30", "2026-03-31", 1.0, id="within"),
        pytest.param(MARCH, "2025-01-01", "2026-11-01", 1.0, id="written before and after"),
        pytest.param(MARCH, "2026-05-02", "2026-05-02", 0.8, id="a month after"),
        pytest.param(MARCH, "2026-01-01", "2026-01-29", 0.8, id="a month before"),
        pytest.param(MARCH, None, None, 0.6, id="without a time"),
        pytest.param(AskedTime("latest"), "2026-01-01", "2026-11-27T15:00", 1.0, id="new"),
        pytest.param(AskedTime("latest"), "2026-01-01", "2026-10-28T15:00", 0.8, id="a month old"),
        pytest.param(AskedTime("latest"), None, None, 0.6, id="newest, without a time"),
        pytest.param(AskedTime("since 3 March", MARCH.start), "2026-11-01", "2026-11-01", 1.0, id="since"),
    ],
)
def test_what_time_takes_from_a_score(
    asked: AskedTime, created: str | None, updated: str | None, factor: float
) -> None:
    payload = {"created_at": _utc(created), "updated_at": _utc(updated)}
    assert time_factor(asked, payload, NOW) == pytest.approx(factor, abs=0.01)


def _utc(moment: str | None) -> str | None:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).isoformat() if moment else None
