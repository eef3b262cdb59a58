"""Mentions of documents in texts: links, and numbers of a tracker such as `#14` or `acme/api#14`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_URL = re.compile(r"https?://[^\s<>\"'`|\\^{}\[\]]+")
_NUMBER = re.compile(r"(?<![\w/&#.-])(?P<unit>[\w.-]+(?:/[\w.-]+)*)?#(?P<number>\d{1,9})\b")
_BEHIND = ".,;:!?*_~"
_AROUND = 120
"""Characters of a mention's surroundings on each side."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A place in a text that names a document: by its `url`, or by its `number` in a `unit`, the text's own where none
    is named."""

    start: int
    end: int
    url: str = ""
    unit: str = ""
    number: str = ""


def mentions_in(text: str) -> Iterator[Mention]:
    """Each mention in a text: first the links, then the numbers."""
    for found in _URL.finditer(text):
        url = _trimmed(found[0])
        yield Mention(found.start(), found.start() + len(url), url=url)
    for found in _NUMBER.finditer(_URL.sub(lambda url: " " * len(url[0]), text)):
        yield Mention(found.start(), found.end(), unit=found["unit"] or "", number=found["number"])


def surroundings(text: str, mention: Mention) -> str:
    """What is said around a mention, on one line."""
    start, end = max(mention.start - _AROUND, 0), mention.end + _AROUND
    return " ".join(text[start:end].split())


def last_part(url: str) -> str:
    """The last part of an address, by which a mention of it is told from others."""
    return url.partition("#")[0].partition("?")[0].rstrip("/").rpartition("/")[2]


def _trimmed(url: str) -> str:
    """Without what stands behind a URL in prose: a full stop, or the bracket that was opened before it."""
    while url and (url[-1] in _BEHIND or (url[-1] == ")" and url.count(")") > url.count("("))):
        url = url[:-1]
    return url
