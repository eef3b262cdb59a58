"""Words of a question that say of when the answer is: `last week`, `in March`, `since Monday`, `the latest`. Pure.

English, and German where it is built alike. Days are those of UTC, as times of documents are; weeks begin on Monday.
What lies ahead is no time of a document: `the budget for 2027` says nothing here, and `in March` is the last one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipelines.index.dates import MONTHS

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "monday montag",
            "tuesday dienstag",
            "wednesday mittwoch",
            "thursday donnerstag",
            "friday freitag",
            "saturday samstag",
            "sunday sonntag",
        )
    )
    for name in names.split()
}
_NUMBERS = {"two": 2, "three": 3, "four": 4, "six": 6, "zwei": 2, "drei": 3, "vier": 4, "sechs": 6}
_PLACES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "ersten": 0, "zweiten": 1, "dritten": 2, "vierten": 3}

_MONTH = rf"(?P<month>{'|'.join(MONTHS)})\b\.?"
_YEAR = r"(?P<year>20\d\d)\b"
_DAY_OF_MONTH = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th|\.)?"
_SINCE = r"(?:since|after|seit)\s+(?:the\s+|dem\s+)?"
_FLOWS = "alternating direct electric electrical inrush leakage load maximum minimum motor nominal output peak rated"
_CURRENT = "".join(rf"(?<!\b{word} )" for word in _FLOWS.split()) + (
    r"current(?!\s*(?:[?.!,;]|$)|\s+(?:and|at|draw\w*|consumption|flow\w*|in|is|leak\w*|of|or|per|sensors?|through|was)\b)"
)
"""`current` where it says of when, and does not flow."""
_NEWEST = re.compile(
    rf"\b(?:latest|newest|most recent(?:ly)?|{_CURRENT}|currently|by now|nowadays|recent(?:ly)?|so far"
    r"|neuest\w+|aktuell\w*|inzwischen|mittlerweile|zuletzt|derzeit\w*|jüngst\w*)\b",
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
    for pattern, read in _PERIODS:
        if (found := pattern.search(question)) and (period := _read(read, found, now)):
            start, end = period
            if start < now:
                return AskedTime(found.group().strip(), start, end)
    newest = _NEWEST.search(question)
    return AskedTime(newest.group()) if newest else None


Period = tuple[datetime, datetime | None]


def _read(read: Callable[[re.Match[str], datetime], Period], found: re.Match[str], now: datetime) -> Period | None:
    try:
        return read(found, now)
    except ValueError:  # the 31st of June
        return None


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _monday(now: datetime) -> datetime:
    return _midnight(now) - now.weekday() * _DAY


def _month(year: int, month: int) -> Period:
    return datetime(year, month, 1, tzinfo=UTC), datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)


def _number_of(name: str) -> int:
    return MONTHS[name.lower().rstrip(".")]


def _past_month(found: re.Match[str], now: datetime) -> Period:
    """The month that is named, of its year or the last that has begun."""
    number = _number_of(found["month"])
    year = int(found["year"]) if found["year"] else now.year - (number > now.month)
    return _month(year, number)


def _past_day(found: re.Match[str], now: datetime) -> Period:
    number, day = _number_of(found["month"]), int(found["day"])
    year = int(found["year"]) if found["year"] else now.year - ((number, day) > (now.month, now.day))
    start = datetime(year, number, day, tzinfo=UTC)
    return start, start + _DAY


def _iso_day(found: re.Match[str], now: datetime) -> Period:
    start = datetime.fromisoformat(found["iso"]).replace(tzinfo=UTC)
    return start, start + _DAY


def _weekday(found: re.Match[str], now: datetime) -> Period:
    back = (now.weekday() - _WEEKDAYS[found["weekday"].lower()]) % 7
    start = _midnight(now) - back * _DAY
    return start, start + _DAY


def _week_of_month(found: re.Match[str], now: datetime) -> Period:
    start = _past_month(found, now)[0] + _PLACES[found["place"].lower()] * _WEEK
    return start, start + _WEEK


def _named_day(found: re.Match[str], now: datetime) -> Period:
    start = _midnight(now) - (0 if found.group().lower() in ("today", "heute") else 1) * _DAY
    return start, start + _DAY


def _this_or_last(found: re.Match[str], now: datetime) -> Period:
    """The week, month or year that runs, or the one before it."""
    is_last = found["which"].lower().startswith(("last", "past", "previous", "letzt", "vorig", "vergangen"))
    unit = found["unit"].lower()
    if unit in ("week", "woche"):
        start = _monday(now) - (_WEEK if is_last else 0 * _DAY)
        return start, start + _WEEK
    if unit in ("month", "monat"):
        before = _month(now.year, now.month)[0] - _DAY
        return _month(before.year, before.month) if is_last else _month(now.year, now.month)
    year = now.year - is_last
    return datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)


def _last_units(found: re.Match[str], now: datetime) -> Period:
    number = found["number"].lower()
    count = _NUMBERS.get(number) or int(number)
    days = {"d": 1, "t": 1, "w": 7, "m": 30, "y": 365, "j": 365}[found["unit"][0].lower()]
    return now - min(count * days, 36_500) * _DAY, None


def _year(found: re.Match[str], now: datetime) -> Period:
    year = int(found["year"])
    return datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)


def _quarter(found: re.Match[str], now: datetime) -> Period:
    first = 3 * int(found["quarter"]) - 2
    year = int(found["year"]) if found["year"] else now.year - (first > now.month)
    return _month(year, first)[0], _month(year, first + 2)[1]


def _from(read: Callable[[re.Match[str], datetime], Period]) -> Callable[[re.Match[str], datetime], Period]:
    return lambda found, now: (read(found, now)[0], None)


def _patterns() -> Iterator[tuple[str, Callable[[re.Match[str], datetime], Period]]]:
    """The most exact first: `on 3 March 2026` is no `March 2026`."""
    dates = (
        (r"(?P<iso>20\d\d-[01]\d-[0-3]\d)\b", _iso_day),
        (rf"{_DAY_OF_MONTH}\s+(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR})?", _past_day),
        (rf"{_MONTH}\s+{_DAY_OF_MONTH}\b(?!\d)(?:,?\s+{_YEAR})?", _past_day),
    )
    weekday = (rf"(?P<weekday>{'|'.join(_WEEKDAYS)})\b", _weekday)
    months = (rf"{_MONTH}(?:\s+{_YEAR})?", _past_month)
    for pattern, read in (*dates, weekday, months, (_YEAR, _year)):
        yield rf"{_SINCE}{pattern}", _from(read)
    yield (
        rf"(?P<place>{'|'.join(_PLACES)})\s+(?:week|woche)\s+(?:of\s+|in\s+|im\s+)?(?:the\s+)?{_MONTH}(?:\s+{_YEAR})?",
        _week_of_month,
    )
    for pattern, read in dates:
        yield rf"(?:on\s+(?:the\s+)?|am\s+|vom\s+)?{pattern}", read
    yield rf"(?:on|last|am|letzten)\s+{weekday[0]}", _weekday
    yield r"Q(?P<quarter>[1-4])(?:\s+|/)?(?P<year>20\d\d)?", _quarter
    yield rf"(?:in|during|of|from|im|vom)\s+{months[0]}", _past_month
    yield rf"{_MONTH}\s+{_YEAR}", _past_month
    yield rf"(?:in|during|im\s+jahr|from|of)\s+{_YEAR}", _year
    yield r"today|heute|yesterday|gestern", _named_day
    yield (
        r"(?:in\s+the\s+|in\s+den\s+|within\s+the\s+)?(?:last|past|letzten|vergangenen)\s+"
        rf"(?P<number>\d{{1,3}}|{'|'.join(_NUMBERS)})\s+"
        r"(?P<unit>days?|weeks?|months?|years?|tagen?|wochen|monaten?|jahren?)",
        _last_units,
    )
    yield (
        r"(?P<which>this|last|past|previous|diese\w*|letzte\w*|vorige\w*|vergangene\w*)\s+"
        r"(?P<unit>week|month|year|woche|monat|jahr)",
        _this_or_last,
    )


_PERIODS = [(re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), read) for pattern, read in _patterns()]
