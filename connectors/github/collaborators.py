"""Who belongs to a repository: its collaborators, told page by page as far as they have changed.

https://docs.github.com/en/rest/collaborators/collaborators#list-repository-collaborators
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from connectors.contract import MembershipCache
from connectors.errors import InvalidResponse
from connectors.github.client import PAGE_SIZE, GitHubClient
from connectors.github.payloads.kept import KeptCollaborators, KeptPage
from connectors.github.payloads.rest import GitHubAccount, GitHubRepository
from connectors.github.responses import RestPage
from connectors.paging import PageTrail


def collaborator_logins(
    client: GitHubClient, repository: GitHubRepository, cache: MembershipCache | None = None
) -> list[str]:
    """In lower case, in the order of the server. `cache` has what was kept the last time, and is given what to keep.

    Raises SourceError and NotAsDocumented.
    """
    path, now = f"repos/{quote(repository.full_name)}/collaborators", datetime.now(UTC)
    known = KeptCollaborators.from_json(cache.get(repository.unit_id)) if cache is not None else None
    if known and not known.holds_for(path, now):
        known = None
    pages, all_told = _read_pages(client, path, known.pages if known else ())
    found = KeptCollaborators(path=path, told_at=now if known is None or all_told else known.told_at, pages=pages)
    if cache is not None and found != known:
        cache.put(repository.unit_id, found.to_json())
    return [login for page in pages for login in page.logins]


def _read_pages(client: GitHubClient, path: str, known: Sequence[KeptPage]) -> tuple[tuple[KeptPage, ...], bool]:
    """All pages, and whether the server has told all of them anew: after one that has changed nothing is taken from
    the last time, since whoever goes or comes moves the others from page to page."""
    trail, left, found = PageTrail(path), list(known), list[KeptPage]()
    link: str | None = path
    while link:
        before = left.pop(0) if left else KeptPage()
        params = None if found else {"per_page": PAGE_SIZE}
        told = client.page(GitHubAccount, link, params, before.etag)
        if told is None and not before.etag:
            raise InvalidResponse(path, "HTTP 304 to a question without a condition")
        if told:
            left.clear()
        page = _kept(told, found) if told else before
        if any(page.logins == one.logins for one in found):
            break  # some servers link the last page to the first
        found.append(page)
        link = trail.follow(page.next)
    return tuple(found), not known or found[0] is not known[0]


def _kept(page: RestPage[GitHubAccount], before: Sequence[KeptPage]) -> KeptPage:
    """A full page that is the last one has no ETag: it stays as it is, too, when another page comes after it."""
    full = min(PAGE_SIZE, len(before[0].logins)) if before else PAGE_SIZE
    is_last_and_full = page.next is None and len(page.items) >= full
    logins = tuple(person.login.lower() for person in page.items if person.login)
    return KeptPage(logins=logins, next=page.next, etag=None if is_last_and_full else page.etag)
