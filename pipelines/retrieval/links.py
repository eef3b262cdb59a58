"""Mentions of documents in texts: links, and numbers of a tracker such as `#14` or `acme/api#14`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_URL = re.compile(r"https?://[^\s<>\"'`|\\^{}\[\]]+")
_NUMBER = re.compile(r"(?<![\w/&#])(?P<unit>[\w.-]+(?:/[\w.-]+)+)?#(?P<number>\d{1,9})\b")
_BEHIND = ".,;:!?*_~"
_TRACKER_PATHS = ("pull", "issues", "discussions")
"""Where trackers have what a number stands for, below the address of the repository."""
_AROUND = 120
"""Characters of a mention's surroundings on each side."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A place in a text that names a document: `targets` are URLs that it may stand for."""

    targets: tuple[str, ...]
    start: int
    end: int


def mentions_in(text: str, unit_url: str) -> Iterator[Mention]:
    """Each mention in the text of a document whose unit is at this address; empty where that has none."""
    for found in _URL.finditer(text):
        url = _trimmed(found[0])
        yield Mention((url,), found.start(), found.start() + len(url))
    for found in _NUMBER.finditer(text):
        if base := _repository(found["unit"], unit_url):
            targets = tuple(f"{base}/{path}/{found['number']}" for path in _TRACKER_PATHS)
            yield Mention(targets, found.start(), found.end())


def surroundings(text: str, mention: Mention) -> str:
    """What is said around a mention, on one line."""
    start, end = max(mention.start - _AROUND, 0), mention.end + _AROUND
    return " ".join(text[start:end].split())


def _trimmed(url: str) -> str:
    """Without what stands behind a URL in prose: a full stop, or the bracket that was opened before it."""
    while url and (url[-1] in _BEHIND or (url[-1] == ")" and url.count(")") > url.count("("))):
        url = url[:-1]
    return url


def _repository(named: str | None, unit_url: str) -> str:
    """The address of the repository that a number is of: the one that it names, on the same host, or its own unit's."""
    if not named or not unit_url:
        return unit_url.rstrip("/") if not named else ""
    scheme, _, rest = unit_url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/{named}"
