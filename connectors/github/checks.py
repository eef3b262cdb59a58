"""What `headrace check` asks of GitHub: each part that a sync needs, of a repository that has one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from urllib.parse import quote

from connectors.contract import Finding
from connectors.errors import RateLimited
from connectors.github.client import GitHubClient
from connectors.github.part_table import COLLABORATORS, DISCUSSIONS, ISSUES, WIKI
from connectors.github.payloads.rest import GitHubAccount, GitHubRepository
from connectors.github.reader import RepositoryReader
from connectors.source_parts import Part, probe_part


def check_parts(
    client: GitHubClient,
    repositories: Sequence[GitHubRepository],
    open_reader: Callable[[GitHubRepository], RepositoryReader],
) -> Iterator[Finding]:
    """A finding for each part; none without a repository. Raises SourceError for what concerns everything."""
    if not repositories:
        return
    readers = cache(lambda place: open_reader(repositories[place]))
    for one in readers(0).parts:
        chosen = readers(_first_with(one.part, repositories))
        (probed,) = (other for other in chosen.parts if other.part is one.part)
        yield probe_part(one.part, probed.probe, raises=(RateLimited,))
    yield _check_collaborators(client, repositories)


def _first_with(part: Part, repositories: Sequence[GitHubRepository]) -> int:
    """Place of the first repository that has such a part switched on, or else of the first one."""
    for place, one in enumerate(repositories):
        if _has(one, part):
            return place
    return 0


def _has(repository: GitHubRepository, part: Part) -> bool:
    """Whether it is switched on, as far as the server tells."""
    if part is WIKI:
        return repository.has_wiki is True
    switch = {ISSUES: repository.has_issues, DISCUSSIONS: repository.has_discussions}.get(part)
    return switch is not False


def _check_collaborators(client: GitHubClient, repositories: Sequence[GitHubRepository]) -> Finding:
    """Asked of a private repository, and first of one to which the token cannot write, where that is told."""
    private = [one for one in repositories if not one.is_public]
    if not private:
        return Finding(COLLABORATORS.name, True, "not needed: everybody may read all repositories in reach")
    chosen = next((one for one in private if not one.may_be_written), private[0])
    ask = partial(client.first, GitHubAccount, f"repos/{quote(chosen.full_name)}/collaborators")
    finding = probe_part(COLLABORATORS, ask, raises=(RateLimited,))
    if finding.ok:
        return finding
    return replace(finding, detail=f"{finding.detail}; {chosen.full_name} is visible to nobody")
