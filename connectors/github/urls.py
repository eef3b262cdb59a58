"""What is meant by the URLs that people copy at GitHub. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, unquote, urlsplit

_DISCUSSED = ("issues", "pull", "discussions")
_NUMBERED = re.compile(r"(?P<repository>/[^/]+/[^/]+)/(?:issues|pulls?|discussions)/(?P<number>\d+)(?:/.*)?")
_FILE = re.compile(r"(?P<repository>/[^/]+/[^/]+)/(?:blob|raw|blame|edit|commits)/(?P<path>[^/]+/.+)")
_CLONED = re.compile(r"(?P<repository>/[^/]+/[^/]+)\.git/?")
_API = "api.github.com"
_RAW = "raw.githubusercontent.com"
_WEB = "github.com"
_MOST_SEGMENTS = 8
"""Of the name of a branch."""


def urls_of_same(url: str) -> list[str]:
    """Addresses of the object at a URL, as its repository's address with the end of the object's id behind it.

    Tabs of a pull request belong to it; issues that became discussions, and pull requests under the address of issues,
    are forwarded by GitHub. Where a branch ends and a path begins is not to be seen: each place is tried.

    >>> urls_of_same("https://github.com/acme/api/pull/14/files#diff-1")[1]
    'https://github.com/acme/api/pull/14'
    >>> urls_of_same("https://github.com/acme/api/blob/main/docs/setup.md#L3")
    ['https://github.com/acme/api/blob/docs/setup.md', 'https://github.com/acme/api/blob/setup.md']
    >>> urls_of_same("https://github.com/acme/api.git")
    ['https://github.com/acme/api']
    """
    return list(_urls(_as_on_the_web(urlsplit(url))))


def _urls(parts: SplitResult) -> Iterator[str]:
    if found := _NUMBERED.fullmatch(parts.path):
        for kind in _DISCUSSED:
            yield _url(parts, f"{found['repository']}/{kind}/{found['number']}")
    elif found := _FILE.fullmatch(parts.path):
        segments = unquote(found["path"]).split("/")
        for start in range(1, min(len(segments), _MOST_SEGMENTS)):
            yield _url(parts, f"{found['repository']}/blob/{'/'.join(segments[start:])}")
    elif found := _CLONED.fullmatch(parts.path):
        yield _url(parts, found["repository"])


def _as_on_the_web(parts: SplitResult) -> SplitResult:
    """Of the API, and of files as they are."""
    if parts.netloc == _API:
        return parts._replace(netloc=_WEB, path=parts.path.removeprefix("/repos"))
    if parts.netloc == _RAW and parts.path.count("/") > 3:
        _, owner, name, path = parts.path.split("/", 3)
        return parts._replace(netloc=_WEB, path=f"/{owner}/{name}/raw/{path.removeprefix('refs/heads/')}")
    return parts


def _url(parts: SplitResult, path: str) -> str:
    return parts._replace(path=path, query="", fragment="").geturl()
