"""Who belongs to a repository: its collaborators, told page by page as far as they have changed.

https://docs.github.com/en/rest/collaborators/collaborators#list-repository-collaborators
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from connectors.contract import MembershipCache
from connectors.errors import InvalidResponse, TransientError, Unavailable
from connectors.github.client import PAGE_SIZE, GitHubClient
from connectors.github.payloads.kept import KeptCollaborators, KeptPage
from connectors.github.payloads.rest import GitHubAccount, GitHubRepository
from connectors.github.responses import RestPage
from connectors.http import PATIENT, PROMPT, RetryBudget
from connectors.paging import PageTrail


def collaborator_logins(
    client: GitHubClient, repository: GitHubRepository, cache: MembershipCache | None = None
) -> list[str]:
    """In lower case, in the order of the server. `cache` has what was kept the last time, and is given what to keep.

    Raises SourceError and NotAsDocumented.
    """
    path, group, now = f"repos/{quote(repository.full_name)}/collaborators", repository.unit_id, datetime.now(UTC)
    before = KeptCollaborators.from_json(cache.get(group)) if cache is not None else None
    if before is None or not before.holds_for(path, now):
        before = KeptCollaborators(path=path, told_at=now)
    try:
        found = _read(client, before, now)
        if _logins(found) != _logins(before):
            _confirm(client, repository)
    except TransientError:
        _keep(cache, group, before.model_copy(update={"is_failing": True}), before)
        raise
    _keep(cache, group, found, before)
    return _logins(found)


def _logins(found: KeptCollaborators) -> list[str]:
    return [login for page in found.pages for login in page.logins]


def _confirm(client: GitHubClient, repository: GitHubRepository) -> None:
    """Collaborators are told by a repository's name, which may have become another's since it was listed.

    Raises Unavailable then: the next list names both.
    """
    told = client.repository(repository.full_name).payload
    if told.unit_id != repository.unit_id:
        owner = told.unit_id or "one without an id"
        raise Unavailable(f"repository {repository.full_name}", f"its name now belongs to another one ({owner})")


def _keep(cache: MembershipCache | None, group: str, found: KeptCollaborators, before: KeptCollaborators) -> None:
    if cache is not None and found != before:
        cache.put(group, found.to_json())


def _read(client: GitHubClient, before: KeptCollaborators, now: datetime) -> KeptCollaborators:
    retries = PROMPT if before.is_failing else PATIENT
    pages = _read_pages(client, before.path, before.pages, retries)
    are_all_told = not before.pages or pages[0] is not before.pages[0]
    return KeptCollaborators(path=before.path, told_at=now if are_all_told else before.told_at, pages=pages)


def _read_pages(
    client: GitHubClient, path: str, known: Sequence[KeptPage], retries: RetryBudget
) -> tuple[KeptPage, ...]:
    """After a page that has changed nothing is taken from the last time: whoever goes or comes moves the others from
    page to page."""
    trail, left, found = PageTrail(path), list(known), list[KeptPage]()
    link: str | None = path
    while link:
        before = left.pop(0) if left else KeptPage()
        params = None if found else {"per_page": PAGE_SIZE}
        told = client.page(GitHubAccount, link, params, before.etag, retries)
        if told is None and not before.etag:
            raise InvalidResponse(path, "HTTP 304 to a question without a condition")
        if told:
            left.clear()
        page = _kept(told, found) if told else before
        if any(page.logins == one.logins for one in found):
            break  # some servers link the last page to the first
        found.append(page)
        link = trail.follow(page.next)
    return tuple(found)


def _kept(page: RestPage[GitHubAccount], before: Sequence[KeptPage]) -> KeptPage:
    """A full page that is the last one has no ETag: it stays as it is, too, when another page comes after it."""
    full = min(PAGE_SIZE, len(before[0].logins)) if before else PAGE_SIZE
    is_last_and_full = page.next is None and len(page.items) >= full
    logins = tuple(person.login.lower() for person in page.items if person.login)
    return KeptPage(logins=logins, next=page.next, etag=None if is_last_and_full else page.etag)
