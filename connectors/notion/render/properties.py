"""Page properties to lines of text. Pure. https://developers.notion.com/reference/page-property-values"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

from connectors.notion.payloads import DateSpan, FileLink, NotionUser, PropertyValue, SelectOption
from connectors.notion.render.rich_text import inline, joined

Properties: TypeAlias = Mapping[str, PropertyValue]

_CUT = "(Notion told the first values only)"
_NOT_TEXT = {"id", "type", "object", "color", "avatar_url", "expiry_time", "has_more", "request_id"}


@dataclass(frozen=True, slots=True)
class NotionNames:
    """Names by id, of what a payload mentions by its id alone: titles of pages and databases, and people."""

    titles: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)


Renderer: TypeAlias = Callable[[PropertyValue, NotionNames], str]


def property_lines(properties: Properties, names: NotionNames) -> list[str]:
    """`Name: value` for every property that has a value, the title left out; what is missing of it is said."""
    lines = ((name, _line_text(value, names)) for name, value in properties.items() if value.type != "title")
    return [f"{' '.join(name.split())}: {' '.join(text.split())}" for name, text in lines if text.strip()]


def option_names(properties: Properties) -> tuple[str, ...]:
    """Names of all options chosen in selects, multi-selects and statuses, each once."""
    chosen = (option for value in properties.values() for option in (*value.select, *value.status, *value.multi_select))
    return tuple(dict.fromkeys(option.name for option in chosen if option.name))


def related_pages(properties: Properties) -> Iterator[str]:
    """Ids of pages that relations point to, those inside rollups included."""
    for value in properties.values():
        yield from _related(value)


def files_of(properties: Properties) -> Iterator[tuple[str, FileLink]]:
    """Files of all properties that hold some, each with the id of its property."""
    for name, value in properties.items():
        for file in value.files:
            yield value.id or name, file


def value_text(value: PropertyValue, names: NotionNames) -> str:
    """A property value, or an element of a rollup, as text; empty where it is not set."""
    render = _RENDERERS.get(value.type)
    return render(value, names) if render else _any_text(value.unknown)


def _line_text(value: PropertyValue, names: NotionNames) -> str:
    text = value_text(value, names)
    return joined((text, _CUT)) if value.has_more else text


def _related(value: PropertyValue) -> Iterator[str]:
    yield from (entry.id for entry in value.relation if entry.id)
    for element in value.rollup.array if value.rollup else ():
        yield from _related(element)


def _options(options: Iterable[SelectOption]) -> str:
    return joined((option.name for option in options), ", ")


def _number(value: PropertyValue, names: NotionNames) -> str:
    number = value.number
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


def _checkbox(checked: bool | None) -> str:
    return "" if checked is None else "yes" if checked else "no"


def _date(date: DateSpan) -> str:
    """A date as it is written, or `start → end`; the time zone where one is named."""
    return joined((joined((date.start, date.end), " → "), date.time_zone))


def _person(person: NotionUser, names: NotionNames) -> str:
    """A person's name. A group, as `people` may hold, has one too."""
    return person.name or names.people.get(person.id, "") or person.person.email


def _people(value: PropertyValue, names: NotionNames) -> str:
    return joined((_person(person, names) for person in value.people), ", ")


def file_text(file: FileLink) -> str:
    """Name of a file, and the link to one that lies elsewhere.

    The link to a file that Notion keeps is left out: it is a signed one, and another at every read.
    """
    external = file.external.url
    name = file.name or unquote(urlsplit(file.file.url).path.rsplit("/", 1)[-1])
    return joined((name, external if external != name else ""))


def _computed(value: PropertyValue | None, names: NotionNames) -> str:
    """What a formula or a rollup comes to is a value of a kind of its own."""
    return value_text(value, names) if value else ""


def _array(value: PropertyValue, names: NotionNames) -> str:
    return joined((value_text(element, names) for element in value.array), ", ")


def _relation(value: PropertyValue, names: NotionNames) -> str:
    return joined((names.titles.get(entry.id, "") for entry in value.relation), ", ")


def _unique_id(value: PropertyValue, names: NotionNames) -> str:
    found = value.unique_id
    return joined((found.prefix, found.number), "-") if found.number else ""


def _verification(value: PropertyValue, names: NotionNames) -> str:
    found = value.verification
    return joined((found.state, _person(found.verified_by, names), _date(found.date)), ", ")


def _place(value: PropertyValue, names: NotionNames) -> str:
    found = value.place
    position = f"{found.lat}, {found.lon}" if found.lat and found.lon else ""
    return joined((found.name, found.address, position), ", ")


def _any_text(content: Any) -> str:
    """All that reads like text in a value of a kind that is not known."""
    if isinstance(content, dict):
        if isinstance(content.get("plain_text"), str):
            return str(content["plain_text"])
        return joined(_any_text(value) for key, value in content.items() if key not in _NOT_TEXT)
    if isinstance(content, list):
        return joined((_any_text(entry) for entry in content), ", ")
    return "" if content is None or isinstance(content, bool) else str(content)


_RENDERERS: Mapping[str, Renderer] = {
    "title": lambda value, names: inline(value.title),
    "rich_text": lambda value, names: inline(value.rich_text),
    "text": lambda value, names: value.text,
    "string": lambda value, names: value.string,
    "number": _number,
    "select": lambda value, names: _options(value.select),
    "status": lambda value, names: _options(value.status),
    "multi_select": lambda value, names: _options(value.multi_select),
    "date": lambda value, names: _date(value.date),
    "people": _people,
    "files": lambda value, names: joined(map(file_text, value.files), ", "),
    "checkbox": lambda value, names: _checkbox(value.checkbox),
    "boolean": lambda value, names: _checkbox(value.boolean),
    "url": lambda value, names: value.url,
    "email": lambda value, names: value.email,
    "phone_number": lambda value, names: value.phone_number,
    "formula": lambda value, names: _computed(value.formula, names),
    "relation": _relation,
    "rollup": lambda value, names: _computed(value.rollup, names),
    "array": _array,
    "created_time": lambda value, names: value.created_time,
    "last_edited_time": lambda value, names: value.last_edited_time,
    "created_by": lambda value, names: _person(value.created_by, names),
    "last_edited_by": lambda value, names: _person(value.last_edited_by, names),
    "unique_id": _unique_id,
    "verification": _verification,
    "place": _place,
    **dict.fromkeys(("button", "incomplete", "unsupported"), lambda value, names: ""),
}
