"""From words of time to the period that they mean, by the clock of the question. Pure.

Days are those of UTC, as times of documents are; weeks begin on Monday. Each reader takes the groups of a pattern of
`time_words`, and raises ValueError for what is no date: the 31st of June.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from pipelines.index.dates import MONTHS as OF_TEXTS

Period: TypeAlias = tuple[datetime, datetime | None]
"""From when, and before when; None: until now."""
Reader: TypeAlias = Callable[[re.Match[str], datetime], Period]

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


def _numbered(*names: str, start: int = 0) -> dict[str, int]:
    """Each of the names in a text has the number of the text."""
    return {name: number for number, text in enumerate(names, start) for name in text.split()}


FRENCH_MONTHS = _numbered(
    "janvier",
    "février fevrier",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août aout",
    "septembre",
    "octobre",
    "novembre",
    "décembre decembre",
    start=1,
)
"""Not those of texts: what these are found by stands in the index."""
_MONTHS = OF_TEXTS | FRENCH_MONTHS
WEEKDAYS = _numbered(
    "monday montag lundi",
    "tuesday dienstag mardi",
    "wednesday mittwoch mercredi",
    "thursday donnerstag jeudi",
    "friday freitag vendredi",
    "saturday samstag samedi",
    "sunday sonntag dimanche",
)
PLACES = _numbered("first ersten", "second zweiten", "third dritten", "fourth vierten")
NUMBERS = _numbered(
    "a an einem einer einen un une",
    "two zwei deux",
    "three drei trois",
    "four vier quatre",
    "five fünf cinq",
    "six sechs",
    "seven sieben sept",
    "eight acht huit",
    "nine neun neuf",
    "ten zehn dix",
    "eleven elf onze",
    "twelve zwölf douze",
    start=1,
) | {"a couple of": 2, "couple of": 2, "a few": 3, "few": 3, "ein paar": 3, "paar": 3, "einigen": 3, "quelques": 3}
_TODAY = ("today", "this morning", "this afternoon", "heute", "aujourd'hui", "aujourd’hui", "ce matin")
_TWO_DAYS = ("the day before yesterday", "vorgestern", "avant-hier")
_LAST = ("last", "past", "previous", "letzt", "vorig", "vergangen", "dernier", "dernière", "passé")
_UNITS = {
    "hour": ("hour", "stunde", "heure"),
    "day": ("day", "tag", "jour"),
    "week": ("week", "woche", "semaine"),
    "quarter": ("quarter", "quartal", "trimestre"),
    "month": ("month", "monat", "mois"),
    "year": ("year", "jahr", "an"),
}
_DAYS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}
_MOST_DAYS = 36_500


def past_month(found: re.Match[str], now: datetime) -> Period:
    """The month that is named, of its year or the last that has begun."""
    number = _number_of(found["month"])
    year = int(found["year"]) if found["year"] else now.year - (number > now.month)
    return _months(year, number)


def past_day(found: re.Match[str], now: datetime) -> Period:
    number, day = _number_of(found["month"]), int(found["day"])
    year = int(found["year"]) if found["year"] else now.year - ((number, day) > (now.month, now.day))
    return _day(datetime(year, number, day, tzinfo=UTC))


def iso_day(found: re.Match[str], now: datetime) -> Period:
    return _day(datetime.fromisoformat(found["iso"]).replace(tzinfo=UTC))


def dotted_day(found: re.Match[str], now: datetime) -> Period:
    return _day(datetime(int(found["year"]), int(found["number"]), int(found["day"]), tzinfo=UTC))


def weekday(found: re.Match[str], now: datetime) -> Period:
    """The last one; today if it is that day."""
    return _day(_midnight(now) - (now.weekday() - WEEKDAYS[found["weekday"].lower()]) % 7 * _DAY)


def last_weekday(found: re.Match[str], now: datetime) -> Period:
    """As `weekday`, and a week ago if today is that day."""
    start, end = weekday(found, now)
    return (start, end) if start < _midnight(now) else _day(start - _WEEK)


def week_of_month(found: re.Match[str], now: datetime) -> Period:
    start = past_month(found, now)[0] + PLACES[found["place"].lower()] * _WEEK
    return start, start + _WEEK


def named_day(found: re.Match[str], now: datetime) -> Period:
    said = found.group().lower()
    return _day(_midnight(now) - (0 if said in _TODAY else 2 if said in _TWO_DAYS else 1) * _DAY)


def this_or_last(found: re.Match[str], now: datetime) -> Period:
    """The week, month, quarter or year that runs, or the one before it."""
    return _around(_unit_of(found["unit"]), int(found["which"].lower().startswith(_LAST)), now)


def ago(found: re.Match[str], now: datetime) -> Period:
    """The day, week, month or year in which it lies, so many of these back."""
    return _around(_unit_of(found["unit"]), _count(found["number"]), now)


def last_units(found: re.Match[str], now: datetime) -> Period:
    return now - min(_count(found["number"]) * _DAYS[_unit_of(found["unit"])], _MOST_DAYS) * _DAY, None


def year(found: re.Match[str], now: datetime) -> Period:
    return _year(int(found["year"]))


def quarter(found: re.Match[str], now: datetime) -> Period:
    first = 3 * int(found["quarter"]) - 2
    return _months(int(found["year"]) if found["year"] else now.year - (first > now.month), first, 3)


def since(read: Reader) -> Reader:
    """From where a period begins until now."""
    return lambda found, now: (read(found, now)[0], None)


def _around(unit: str, back: int, now: datetime) -> Period:
    """The unit of time in which `now` lies, or one that is so many `back`."""
    match unit:
        case "hour":
            return _day(_midnight(now - min(back, _MOST_DAYS) * timedelta(hours=1)))
        case "day":
            return _day(_midnight(now) - back * _DAY)
        case "week":
            start = _midnight(now) - (now.weekday() + 7 * back) * _DAY
            return start, start + _WEEK
        case "year":
            return _year(now.year - back)
    length = 3 if unit == "quarter" else 1
    months = 12 * now.year + (now.month - 1) // length * length - back * length
    return _months(months // 12, months % 12 + 1, length)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _day(start: datetime) -> Period:
    return start, start + _DAY


def _months(year: int, month: int, count: int = 1) -> Period:
    """So many months, from this one on."""
    end = 12 * year + month - 1 + count
    return datetime(year, month, 1, tzinfo=UTC), datetime(end // 12, end % 12 + 1, 1, tzinfo=UTC)


def _year(number: int) -> Period:
    return _months(number, 1, 12)


def _number_of(month: str) -> int:
    return _MONTHS[month.lower().rstrip(".")]


def _count(number: str) -> int:
    return NUMBERS.get(number.lower()) or int(number)


def _unit_of(word: str) -> str:
    return next(unit for unit, names in _UNITS.items() if word.lower().startswith(names))
