"""Words of a question that say of when the answer is: `last week`, `in March`, `since Monday`, `two days ago`, `the
latest`. Pure.

English, and German and French where they say the same. What lies ahead is no time of a document: `the budget for 2027`
says nothing here, and `in March` is the last one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pipelines.index.dates import MONTHS
from pipelines.retrieval import time_periods as read
from pipelines.retrieval.time_periods import FRENCH_MONTHS, NUMBERS, PLACES, WEEKDAYS, Period, Reader


def _any(words: Iterable[str]) -> str:
    """The longest first: `a few` is no `a`."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_MONTH = rf"(?P<month>{_any(MONTHS)})\b\.?"
_FRENCH_MONTH = rf"(?P<month>{_any(FRENCH_MONTHS)})\b"
_YEAR = r"(?P<year>20\d\d)\b"
_DAY_OF_MONTH = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th|er|\.)?"
_NUMBER = rf"(?P<number>\d{{1,3}}|{_any(NUMBERS)})"
_UNIT = (
    r"(?P<unit>hours?|days?|weeks?|months?|years?|stunden?|tage?n?|wochen?|monate?n?|jahre?n?"
    r"|heures?|jours?|semaines?|mois|ans?|années?)"
)
_SINCE = r"(?:since|after|seit|depuis|après)\s+(?:the\s+|dem\s+|le\s+)?"
_FLOWS = "alternating direct electric electrical inrush leakage load maximum minimum motor nominal output peak rated"
_CURRENT = "".join(rf"(?<!\b{word} )" for word in _FLOWS.split()) + (
    r"current(?!\s*(?:[?.!,;]|$)|\s+(?:and|at|draw\w*|consumption|flow\w*|in|is|leak\w*|of|or|per|sensors?|through|was)\b)"
)
"""`current` where it says of when, and does not flow."""
_NEWEST = re.compile(
    rf"\b(?:latest|newest|most recent(?:ly)?|{_CURRENT}|currently|by now|nowadays|recent(?:ly)?|so far"
    r"|neuest\w+|aktuell\w*|inzwischen|mittlerweile|zuletzt|derzeit\w*|jüngst\w*"
    r"|actuel(?:le)?(?:s|ment)?|récent\w*|récemment)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class AskedTime:
    """What a question says of time, in its `words`: from `start` to before `end`, or, without both, the newest."""

    words: str
    start: datetime | None = None
    end: datetime | None = None


def asked_time(question: str, now: datetime) -> AskedTime | None:
    """The time that a question asks for; None if it names none, or one that lies ahead."""
    for pattern, reader in _PERIODS:
        if (found := pattern.search(question)) and (period := _read(reader, found, now)):
            start, end = period
            if start < now:
                return AskedTime(found.group().strip(), start, end)
    newest = _NEWEST.search(question)
    return AskedTime(newest.group()) if newest else None


def _read(reader: Reader, found: re.Match[str], now: datetime) -> Period | None:
    try:
        return reader(found, now)
    except ValueError:  # the 31st of June
        return None


_DATES: tuple[tuple[str, Reader], ...] = (
    (r"(?P<iso>20\d\d-[01]\d-[0-3]\d)\b", read.iso_day),
    (r"(?P<day>[0-3]?\d)\.\s?(?P<number>[01]?\d)\.\s?(?P<year>20\d\d)\b", read.dotted_day),
    (rf"{_DAY_OF_MONTH}\s+(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR})?", read.past_day),
    (rf"{_DAY_OF_MONTH}\s+{_FRENCH_MONTH}(?:\s+{_YEAR})?", read.past_day),
    (rf"{_MONTH}\s+{_DAY_OF_MONTH}\b(?!\d)(?:,?\s+{_YEAR})?", read.past_day),
)
_AGO: tuple[tuple[str, Reader], ...] = (
    (rf"{_NUMBER}\s+{_UNIT}\s+ago", read.ago),
    (rf"vor\s+{_NUMBER}\s+{_UNIT}", read.ago),
    (rf"il\s+y\s+a\s+{_NUMBER}\s+{_UNIT}", read.ago),
)
_PAST_UNITS = r"(?:in\s+the\s+|in\s+den\s+|within\s+the\s+)?(?:last|past|letzten|vergangenen)"
_THIS_OR_LAST = r"(?P<which>this|last|past|previous|diese\w*|letzte\w*|vorige\w*|vergangene\w*)"
_WEEKDAY = rf"(?P<weekday>{_any(WEEKDAYS)})\b"


def _patterns() -> Iterator[tuple[str, Reader]]:
    """The most exact first: `on 3 March 2026` is no `March 2026`."""
    months = ((rf"{_MONTH}(?:\s+{_YEAR})?", read.past_month), (rf"{_FRENCH_MONTH}(?:\s+{_YEAR})?", read.past_month))
    for pattern, reader in (*_DATES, *_AGO, (_WEEKDAY, read.weekday), *months, (_YEAR, read.year)):
        yield rf"{_SINCE}{pattern}", read.since(reader)
    yield rf"(?:seit|depuis)\s+{_NUMBER}\s+{_UNIT}", read.last_units
    yield (
        rf"(?P<place>{_any(PLACES)})\s+(?:week|woche)\s+(?:of\s+|in\s+|im\s+)?(?:the\s+)?{_MONTH}(?:\s+{_YEAR})?",
        read.week_of_month,
    )
    for pattern, reader in _DATES:
        yield rf"(?:on\s+(?:the\s+)?|am\s+|vom\s+|le\s+|du\s+)?{pattern}", reader
    yield from _AGO
    yield rf"(?:last|(?:am\s+)?letzten|(?:am\s+)?vergangenen)\s+{_WEEKDAY}", read.last_weekday
    yield rf"{_WEEKDAY}\s+dernier", read.last_weekday
    yield rf"(?:on|am)\s+{_WEEKDAY}", read.weekday
    yield r"Q(?P<quarter>[1-4])(?:\s+|/)?(?P<year>20\d\d)?", read.quarter
    yield rf"(?:in|during|of|from|im|vom)\s+{months[0][0]}", read.past_month
    yield rf"(?:en|de|depuis|au\s+mois\s+d[e'’])\s*{months[1][0]}", read.past_month
    yield rf"{_MONTH}\s+{_YEAR}", read.past_month
    yield rf"{_FRENCH_MONTH}\s+{_YEAR}", read.past_month
    yield rf"(?:in|during|im\s+jahr|from|of|en)\s+{_YEAR}", read.year
    yield r"today|this\s+morning|this\s+afternoon|heute|aujourd['’]hui|ce\s+matin", read.named_day
    yield r"the\s+day\s+before\s+yesterday|vorgestern|avant-hier|yesterday|gestern|(?<=\b[dD]['’])hier", read.named_day
    yield rf"{_PAST_UNITS}\s+{_NUMBER}\s+{_UNIT}", read.last_units
    yield rf"(?:les|ces|des|au\s+cours\s+des)\s+{_NUMBER}\s+derni(?:ers|ères)\s+{_UNIT}", read.last_units
    yield rf"{_THIS_OR_LAST}\s+(?P<unit>week|month|quarter|year|woche|monat|quartal|jahr)", read.this_or_last
    yield (
        r"(?:la|le|l['’])\s*(?P<unit>semaine|mois|trimestre|année|an)\s+(?P<which>derni(?:er|ère)|passée?)",
        read.this_or_last,
    )
    yield r"(?P<which>cette|ce)\s+(?P<unit>semaine|mois|trimestre|année)", read.this_or_last


_PERIODS = [(re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), reader) for pattern, reader in _patterns()]
