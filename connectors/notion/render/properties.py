"""Page properties to lines of text. Pure. https://developers.notion.com/reference/page-property-values"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from connectors.notion.client import Payload
from connectors.notion.render.rich_text import inline, joined, plain

_NOT_TEXT = {"id", "type", "object", "color", "avatar_url", "expiry_time", "has_more", "request_id"}
_OPTIONS = ("select", "status", "multi_select")


@dataclass(frozen=True, slots=True)
class Known:
    """Names by id, of what a payload mentions by its id alone: titles of pages and databases, and people."""

    titles: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)


def title(properties: object) -> str:
    """Text of the property of type `title`, whatever its name is."""
    return next((plain(value.get("title")) for _, value in _each(properties) if value.get("type") == "title"), "")


def property_lines(properties: object, known: Known) -> list[str]:
    """`Name: value` for every property that has a value, the title left out."""
    lines = ((name, value_text(value, known)) for name, value in _each(properties) if value.get("type") != "title")
    return [f"{' '.join(name.split())}: {' '.join(text.split())}" for name, text in lines if text.strip()]


def option_names(properties: object) -> tuple[str, ...]:
    """Names of all options chosen in selects, multi-selects and statuses, each once."""
    found: dict[str, None] = {}
    for _, value in _each(properties):
        if (kind := value.get("type")) in _OPTIONS:
            chosen = value.get(str(kind))
            found.update(dict.fromkeys(_names(chosen if isinstance(chosen, list) else [chosen])))
    return tuple(found)


def related_pages(properties: object) -> Iterator[str]:
    """Ids of pages that relations point to, those inside rollups included."""
    for _, value in _each(properties):
        yield from _related(value)


def files_of(properties: object) -> Iterator[tuple[str, Payload]]:
    """Files of all properties that hold some, each with the id of its property."""
    for name, value in _each(properties):
        files = value.get("files") if value.get("type") == "files" else None
        for file in files if isinstance(files, list) else ():
            if isinstance(file, dict):
                yield str(value.get("id") or name), file


def value_text(value: Any, known: Known) -> str:
    """A property value, or an element of a rollup, as text; empty where it is not set."""
    if not isinstance(value, dict):
        return ""
    kind = str(value.get("type") or "")
    content = value.get(kind)
    if content is None:
        return ""
    render = _RENDERERS.get(kind)
    return render(content, known) if render else _any_text(content)


def _related(value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    content = value.get(str(value.get("type")))
    if value.get("type") == "relation" and isinstance(content, list):
        yield from (str(entry["id"]) for entry in content if isinstance(entry, dict) and entry.get("id"))
    if value.get("type") == "rollup" and isinstance(content, dict):
        for element in content.get("array") or ():
            yield from _related(element)


def _each(properties: object) -> Iterator[tuple[str, Payload]]:
    if isinstance(properties, dict):
        yield from ((name, value) for name, value in properties.items() if isinstance(value, dict))


def _names(entries: Any) -> list[str]:
    return [str(entry["name"]) for entry in entries if isinstance(entry, dict) and entry.get("name")]


def _option(content: Any, known: Known) -> str:
    return joined(_names(content if isinstance(content, list) else [content]), ", ")


def _rich_text(content: Any, known: Known) -> str:
    return inline(content)


def _plain_value(content: Any, known: Known) -> str:
    return "" if isinstance(content, dict) else str(content)


def _number(content: Any, known: Known) -> str:
    return str(int(content)) if isinstance(content, float) and content.is_integer() else str(content)


def _checkbox(content: Any, known: Known) -> str:
    return "yes" if content else "no"


def _date(content: Any, known: Known) -> str:
    """A date as it is written, or `start → end`; the time zone where one is named."""
    if not isinstance(content, dict):
        return str(content)
    span = joined((str(content.get("start") or ""), str(content.get("end") or "")), " → ")
    return joined((span, str(content.get("time_zone") or "")))


def _person(content: Any, known: Known) -> str:
    """A person's name. A group, as `people` may hold, has one too."""
    if not isinstance(content, dict):
        return ""
    name = content.get("name") or known.people.get(str(content.get("id")))
    return str(name or (content.get("person") or {}).get("email") or "")


def _people(content: Any, known: Known) -> str:
    return joined((_person(person, known) for person in content), ", ")


def _files(content: Any, known: Known) -> str:
    return joined((file_text(file) for file in content if isinstance(file, dict)), ", ")


def file_text(file: Payload) -> str:
    """Name of a file, and the link to one that lies elsewhere.

    The link to a file that Notion keeps is left out: it is a signed one, and another at every read.
    """
    external = str((file.get("external") or {}).get("url") or "")
    hosted = str((file.get("file") or {}).get("url") or "")
    name = str(file.get("name") or "") or unquote(urlsplit(hosted).path.rsplit("/", 1)[-1])
    return joined((name, external if external != name else ""))


def _formula(content: Any, known: Known) -> str:
    kind = str(content.get("type") or "")
    return value_text({"type": "checkbox" if kind == "boolean" else kind, **_as(kind, content)}, known)


def _as(kind: str, content: Payload) -> Payload:
    return {"checkbox" if kind == "boolean" else kind: content.get(kind)}


def _rollup(content: Any, known: Known) -> str:
    if content.get("type") == "array":
        return joined((value_text(element, known) for element in content.get("array") or ()), ", ")
    return value_text(content, known)


def _relation(content: Any, known: Known) -> str:
    return joined((known.titles.get(str(entry.get("id")), "") for entry in content if isinstance(entry, dict)), ", ")


def _unique_id(content: Any, known: Known) -> str:
    number = content.get("number")
    return "" if number is None else joined((str(content.get("prefix") or ""), str(number)), "-")


def _verification(content: Any, known: Known) -> str:
    date = _date(content["date"], known) if content.get("date") else ""
    return joined((str(content.get("state") or ""), _person(content.get("verified_by"), known), date), ", ")


def _place(content: Any, known: Known) -> str:
    named = (str(content.get(key) or "") for key in ("name", "address"))
    position = (content.get("lat"), content.get("lon"))
    return joined((*named, f"{position[0]}, {position[1]}" if None not in position else ""), ", ")


def _nothing(content: Any, known: Known) -> str:
    return ""


def _any_text(content: Any) -> str:
    """All that reads like text in a value of a kind that is not known."""
    if isinstance(content, dict):
        if isinstance(content.get("plain_text"), str):
            return str(content["plain_text"])
        return joined(_any_text(value) for key, value in content.items() if key not in _NOT_TEXT)
    if isinstance(content, list):
        return joined((_any_text(entry) for entry in content), ", ")
    return "" if content is None or isinstance(content, bool) else str(content)


_RENDERERS: dict[str, Callable[[Any, Known], str]] = {
    "title": _rich_text,
    "rich_text": _rich_text,
    "text": _plain_value,
    "string": _plain_value,
    "number": _number,
    "select": _option,
    "status": _option,
    "multi_select": _option,
    "date": _date,
    "people": _people,
    "files": _files,
    "checkbox": _checkbox,
    "url": _plain_value,
    "email": _plain_value,
    "phone_number": _plain_value,
    "formula": _formula,
    "relation": _relation,
    "rollup": _rollup,
    "created_time": _plain_value,
    "last_edited_time": _plain_value,
    "created_by": _person,
    "last_edited_by": _person,
    "unique_id": _unique_id,
    "verification": _verification,
    "place": _place,
    "button": _nothing,
    "incomplete": _nothing,
    "unsupported": _nothing,
}
