"""One spelling for dates, whose words meet in no other way: `3 September 2026`, `2026-09-03`, `03.09.2026`. Pure.

After a text that names days or months come words for them, `20260903` and `202609`; after a question alike. So a
question for a month finds what tells of any of its days, and one for a day prefers that day to the others of its month.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january januar jänner jan",
            "february februar feb",
            "march märz mar",
            "april apr",
            "may mai",
            "june juni jun",
            "july juli jul",
            "august aug",
            "september sept sep",
            "october oktober oct okt",
            "november nov",
            "december dezember dec dez",
        ),
        start=1,
    )
    for name in names.split()
}
"""English and German names of months, and their numbers."""

_YEAR = re.compile(r"20\d\d(?!\d)")
_LONGEST_BEFORE = 24
"""Characters from the beginning of a date to its year: `27th of September, `."""
_AFTER_YEAR = re.compile(r"-(?P<month>[01]\d)(?:-(?P<day>[0-3]\d))?(?!\d)")
_BEFORE_YEAR = re.compile(
    rf"""(?:
        \b(?P<day>[0-3]?\d)\.\s?(?P<month>[01]?\d)\.\s?
        |(?:\b(?P<day_before>[0-3]?\d)(?:st|nd|rd|th|\.)?\s+(?:of\s+)?)?
            \b(?P<name>{"|".join(MONTHS)})\b\.?,?
            (?:\s+(?P<day_after>[0-3]?\d)(?:st|nd|rd|th)?,?)?
            \s+
    )$""",
    re.VERBOSE | re.IGNORECASE,
)


def with_dates(text: str) -> str:
    """The text, and after it a word for each day and each month that it names with the year."""
    words = dict.fromkeys(word for year in _YEAR.finditer(text) for word in _words(text, year))
    return f"{text}\n{' '.join(words)}" if words else text


def day_word(day: date) -> str:
    """`20260903`"""
    return f"{day:%Y%m%d}"


def month_word(month: date) -> str:
    """`202609`"""
    return f"{month:%Y%m}"


def _words(text: str, year: re.Match[str]) -> Iterator[str]:
    """The words of the date that a year is part of, if it is."""
    before = text[max(year.start() - _LONGEST_BEFORE, 0) : year.start()]
    if before[-1:].isdigit():
        return
    found = _AFTER_YEAR.match(text, year.end()) or _BEFORE_YEAR.search(before)
    if not found:
        return
    part = found.groupdict()
    month = MONTHS[part["name"].lower()] if part.get("name") else int(part["month"])
    day = part["day"] or part.get("day_before") or part.get("day_after")
    try:
        named = date(int(year.group()), month, int(day or 1))
    except ValueError:  # the 31st of June
        return
    yield month_word(named)
    if day:
        yield day_word(named)
