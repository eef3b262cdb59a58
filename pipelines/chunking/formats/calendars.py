"""Calendars and invitations (iCalendar, RFC 5545)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.chunking.blocks import Block, paragraphs

_FOLD = re.compile(r"\n[ \t]")
_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9-]+)(?P<parameters>(?>(?:;[^:;\"]*+(?>(?:\"[^\"]*+\"[^:;\"]*+)*))*)):(?P<value>.*)"
)
_COMMON_NAME = re.compile(r";CN=(?:\"([^\"]*)\"|([^;:\"]*))", re.IGNORECASE)
_ZONE = re.compile(r";TZID=\"?([^;:\"]*)", re.IGNORECASE)
_TIME = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})\d{2}(Z?))?\Z")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LABELS = {
    "SUMMARY": "",
    "DTSTART": "Start",
    "DTEND": "End",
    "DUE": "Due",
    "LOCATION": "Place",
    "ORGANIZER": "Organizer",
    "ATTENDEE": "Attendee",
    "STATUS": "Status",
    "CATEGORIES": "Categories",
    "CONTACT": "Contact",
    "URL": "Link",
    "COMMENT": "Comment",
    "DESCRIPTION": "",
}
"""What people read of an event, with the word before it."""
_ENTRIES = ("VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY")


def calendar_blocks(text: str) -> list[Block]:
    """A paragraph for each event, task or note, and one for what it says of itself at length."""
    return [block for entry in _entries(_FOLD.sub("", text)) for block in paragraphs("\n".join(entry))]


def _entries(text: str) -> Iterator[list[str]]:
    """The lines of each entry that holds anything; an alarm's belong to its event."""
    lines: list[str] = []
    for line in text.split("\n"):
        found = _LINE.match(line)
        if not found:
            continue
        name, value = found["name"].upper(), found["value"].strip()
        if name == "BEGIN" and value.upper() in _ENTRIES:
            yield lines
            lines = []
        elif name in _LABELS and value:
            lines.append(_line(name, found["parameters"], value))
    yield lines


def _line(name: str, parameters: str, value: str) -> str:
    said = _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
    if moment := _TIME.match(value):
        said = _moment(moment, parameters)
    elif name in ("ORGANIZER", "ATTENDEE"):
        said = _person(parameters, said)
    label = _LABELS[name]
    return f"{label}: {said}" if label else f"\n{said}" if name == "DESCRIPTION" else said


def _moment(found: re.Match[str], parameters: str) -> str:
    """A time as ISO 8601 has it, with its zone."""
    year, month, day, hour, minute, is_utc = found.groups()
    if not hour:
        return f"{year}-{month}-{day}"
    named = _ZONE.search(parameters)
    zone = "UTC" if is_utc else named[1] if named else ""
    return f"{year}-{month}-{day} {hour}:{minute} {zone}".rstrip()


def _person(parameters: str, value: str) -> str:
    address = value[len("mailto:") :] if value.lower().startswith("mailto:") else value
    named = _COMMON_NAME.search(parameters)
    name = (named[1] or named[2] or "").strip() if named else ""
    return f"{name} <{address}>" if name and name != address else address
