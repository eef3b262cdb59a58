"""The listing of a repository's issues, read so that none is missed while it changes.

https://docs.github.com/en/rest/issues/issues#list-repository-issues
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from connectors.github.payloads.rest import GitHubIssue
from connectors.github.responses import RestPage
from connectors.paging import PageTrail

IssuePage: TypeAlias = RestPage[GitHubIssue]
FetchPage: TypeAlias = Callable[[str, Mapping[str, Any] | None, str | None], IssuePage | None]
"""Asks for a page: path or link, parameters, and the ETag of a state that need not be sent again."""

_ORDER = {"state": "all", "sort": "updated", "direction": "asc"}


class IssueListing:
    """Issues and pull requests, least recently updated first. Objects can stand on two pages.

    One that is updated while pages are read moves to the end, and where pages have numbers all later ones move up by
    one: the first of the next page would be missed. So the next page is asked for by time where the server honours
    `since`, and by its link elsewhere.
    """

    def __init__(self, path: str, page_size: int, fetch: FetchPage) -> None:
        self._path = path
        self._parameters = {**_ORDER, "per_page": page_size}
        self._fetch = fetch
        self._trail = PageTrail(path)
        self._honours_since = True

    def pages(self, since: datetime | None, etag: str | None) -> Iterator[IssuePage]:
        """Those updated at or after `since`; no page at all if the first is as it was when it had this `etag`."""
        found = self._ask(since, etag)
        shown: set[bytes] = set()
        while found and found.digest not in shown:
            shown.add(found.digest)
            yield found
            found = self._page_after(found)

    def _ask(self, since: datetime | None, etag: str | None = None) -> IssuePage | None:
        found = self._fetch(self._path, {**self._parameters, **_since(since)}, etag)
        self._honours_since = since is None or (found is not None and not _reaches_before(found, since))
        return found

    def _page_after(self, page: IssuePage) -> IssuePage | None:
        if not page.next:
            return None
        if self._honours_since and (end := _end(page)):
            found = self._ask(end)
            if self._honours_since:
                return found
        link = self._trail.follow(page.next)
        return self._fetch(link, None, None) if link else None


def _since(moment: datetime | None) -> dict[str, str]:
    return {"since": f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"} if moment else {}


def _reaches_before(page: IssuePage, since: datetime) -> bool:
    """Whether a page holds what was not asked for: the server does not know `since`."""
    whole_second = since.replace(microsecond=0)
    return any(when < whole_second for when in _update_times(page))


def _end(page: IssuePage) -> datetime | None:
    """From when to ask for the next page: a second before the last object, because others may share its second.

    None if that would give the same page again, or if the page is not in order.
    """
    times = _update_times(page)
    if not times or times != sorted(times):
        return None
    end = times[-1] - timedelta(seconds=1)
    return end if times[0] < end else None


def _update_times(page: IssuePage) -> list[datetime]:
    return [when for issue in page.items if (when := issue.updated)]
