"""Dates, times and durations as people see them in a sheet (ECMA-376-1, 18.17.4 and 18.8.31)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import floor

from pipelines.chunking.formats.openxml.number_format_codes import (
    ENGLISH,
    LONG_DATE,
    LONG_TIME,
    Section,
    Token,
)

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LAST_DAY = 2_958_465
"""The 31st of December 9999."""
_LEAP_DAY = 60
"""The 29th of February 1900, which never was, but has a number (ECMA-376-1, 18.17.4.1)."""
_LANGUAGE = 0x3FF
_NAMES = ("mmm", "mmmm", "mmmmm", "ddd", "dddd")
_DAY_SECONDS = 86_400
_KINDS = {"date", "elapsed", "half_day"}


def is_date(section: Section) -> bool:
    """Whether a section shows a moment or a duration."""
    return not _KINDS.isdisjoint(section.kinds) and not section.has("general")


@dataclass(frozen=True, slots=True)
class _Moment:
    """A day, and the seconds since its beginning as shown; `total` are all seconds, of a duration."""

    year: int
    month: int
    day: int
    weekday: str
    seconds: int
    fraction: str
    total: int


def date_text(value: float, section: Section, *, since_1904: bool) -> str | None:
    """The moment that a number of days stands for; None where it stands for none."""
    durations = section.has("elapsed")
    if not -_LAST_DAY <= value <= _LAST_DAY or (value < 0 and not durations):
        return None
    tokens = _forms(section)
    moment = _moment(abs(value), _fraction_places(tokens), since_1904)
    halves = section.has("half_day")
    shown = (_token_text(token, at, tokens, moment, halves) for at, token in enumerate(tokens))
    return ("-" if value < 0 else "") + "".join(shown)


def _forms(section: Section) -> Sequence[Token]:
    """The tokens of a section, in ISO 8601 where the form or the names depend on where the reader is."""
    if section.locale == LONG_TIME:
        return _ISO_TIME
    foreign = section.locale & _LANGUAGE not in (0, ENGLISH)
    named = any(token.kind == "date" and token.text in _NAMES for token in section.tokens)
    if section.locale == LONG_DATE or (foreign and named):
        return (
            _ISO_DATE_TIME if any("h" in token.text for token in section.tokens if token.kind == "date") else _ISO_DATE
        )
    return section.tokens


def _iso(code: str) -> tuple[Token, ...]:
    return tuple(Token("date" if part.isalpha() else "literal", part) for part in code.split("|"))


_ISO_DATE = _iso("yyyy|-|mm|-|dd")
_ISO_TIME = _iso("hh|:|mm|:|ss")
_ISO_DATE_TIME = _iso("yyyy|-|mm|-|dd| |hh|:|mm")


def _fraction_places(tokens: Sequence[Token]) -> int:
    """How many places of a second are shown: `ss.00`."""
    point = next((at for at, token in enumerate(tokens) if token.kind == "point"), len(tokens))
    return min(sum(token.kind == "digit" for token in tokens[point + 1 :]), 6)


def _moment(value: float, places: int, since_1904: bool) -> _Moment:
    ticks = 10**places
    total = floor(value * _DAY_SECONDS * ticks + 0.5)  # to what is shown of a second; minutes and hours are cut off
    seconds, fraction = divmod(total, ticks)
    days, rest = divmod(seconds, _DAY_SECONDS)
    year, month, day, weekday = _calendar(days, since_1904)
    return _Moment(year, month, day, weekday, rest, f"{fraction:0{places}}" if places else "", seconds)


def _calendar(days: int, since_1904: bool) -> tuple[int, int, int, str]:
    if since_1904:
        found = date(1904, 1, 1) + timedelta(min(days, _LAST_DAY - 1462))
    elif days == 0:
        return 1900, 1, 0, "Saturday"
    elif days == _LEAP_DAY:
        return 1900, 2, 29, "Wednesday"
    else:
        found = date(1899, 12, 31 if days < _LEAP_DAY else 30) + timedelta(min(days, _LAST_DAY))
    # Before the day that never was, weekdays are one too early.
    weekday = found.weekday() - (1 if not since_1904 and days < _LEAP_DAY else 0)
    return found.year, found.month, found.day, _DAYS[weekday]


def _token_text(token: Token, at: int, tokens: Sequence[Token], moment: _Moment, halves: bool) -> str:
    hour = moment.seconds // 3600
    match token.kind:
        case "half_day":
            names = ("A", "P") if token.text == "a/p" else ("AM", "PM")
            return names[hour >= 12]
        case "elapsed":
            unit = {"h": 3600, "m": 60, "s": 1}[token.text[0]]
            return f"{moment.total // unit:0{len(token.text)}}"
        case "digit":
            return moment.fraction if at and tokens[at - 1].kind == "point" else ""
        case "date":
            if token.text[0] == "m" and _is_minute(at, tokens):
                return f"{moment.seconds // 60 % 60:0{min(len(token.text), 2)}}"
            return _date_part(token.text, moment, (hour % 12 or 12) if halves else hour)
        case _:
            return token.text


def _is_minute(at: int, tokens: Sequence[Token]) -> bool:
    """`m` are minutes after hours and before seconds, else months."""
    before = next((token for token in reversed(tokens[:at]) if token.kind in ("date", "elapsed")), None)
    after = next((token for token in tokens[at + 1 :] if token.kind in ("date", "elapsed")), None)
    return (before is not None and before.text[0] == "h") or (after is not None and after.text[0] == "s")


def _date_part(code: str, moment: _Moment, hour: int) -> str:
    length = len(code)
    match code[0]:
        case "y":
            return f"{moment.year % 100:02}" if length <= 2 else f"{moment.year:04}"
        case "e":
            return str(moment.year)
        case "b":  # counted from the Buddha's death
            return f"{(moment.year + 543) % 100:02}" if length <= 2 else str(moment.year + 543)
        case "m":
            return _named(_MONTHS[moment.month - 1], moment.month, length)
        case "d" | "a":
            return _named(moment.weekday, moment.day, length)
        case "h":
            return f"{hour:0{min(length, 2)}}"
        case "s":
            return f"{moment.seconds % 60:0{min(length, 2)}}"
    return ""  # "g", an era's name, which only Japanese dates have


def _named(name: str, number: int, length: int) -> str:
    """A month or a day: as a number, its name's first letters, its name, or (five letters of a month) its initial."""
    if length <= 2:
        return f"{number:0{length}}"
    return {3: name[:3], 5: name[:1]}.get(length, name)
