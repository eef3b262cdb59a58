"""Which repositories a token reaches. Each of the four kinds of token has a listing of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from urllib.parse import quote

from connectors.contract import AnswerCache
from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    Blocked,
    ListingGap,
    NotFound,
    RateLimited,
    SourceError,
    TransientError,
    UnreadableUnit,
    UnreadableUnits,
)
from connectors.github.client import GitHubClient
from connectors.github.payloads.rest import GitHubRepository
from connectors.github.repository_pages import RepositoryPages
from connectors.github.settings import GitHubConnection
from connectors.model import Unit

logger = logging.getLogger(__name__)

_OF_PERSON, _OF_INSTALLATION = "user/repos", "installation/repositories"
"""For a person's token, classic or fine-grained; and for an app's installation, which is refused the first."""


def repositories(
    client: GitHubClient, connection: GitHubConnection, answers: AnswerCache | None = None
) -> Iterator[GitHubRepository]:
    """All repositories that the connection's patterns include. See `RepositorySearch.run`."""
    return RepositorySearch(client, connection, answers).run()


class RepositorySearch:
    """One look at all that a token reaches. `gaps` and `unmatched` are whole once `run` has come to its end."""

    def __init__(self, client: GitHubClient, connection: GitHubConnection, answers: AnswerCache | None = None) -> None:
        self._pages = RepositoryPages(client, answers)
        self._connection = connection
        self._seen: set[str] = set()
        self._names: set[str] = set()
        self._matched: set[str] = set()
        self._owners: dict[str, str] = {}
        self._omitted: dict[str, None] = {}
        self._unreadable: list[UnreadableUnit] = []
        self._gaps: list[ListingGap] = []

    @property
    def unmatched(self) -> list[str]:
        """Patterns of `include` that take in nothing."""
        return [pattern for pattern in self._connection.include if pattern not in self._matched]

    def run(self) -> Iterator[GitHubRepository]:
        """All repositories that the connection's patterns include, each once; one without an id is none.

        Owners that a pattern names, and of whom the token's own listing shows nothing that it takes in, are listed by
        themselves; repositories that `include` spells out are looked up where no listing has them: public ones of
        others. Raises SourceError; UnreadableUnits after all others, where some could not be looked at.
        """
        yield from self._included(self._list_own())
        for owner in _owners(self.unmatched):
            yield from self._included(self._list_owner(owner))
        for name in _exact_names(self._connection):
            if name.lower() not in self._names:
                yield from self._look_up(name)
        if self._omitted:
            self._gaps.append(self._single_sign_on())
        if self._unreadable or self._gaps:
            raise UnreadableUnits(self._unreadable, self._gaps)

    def _list_own(self) -> Iterator[GitHubRepository]:
        for path in (_OF_INSTALLATION,) if self._connection.app_id else (_OF_PERSON, _OF_INSTALLATION):
            try:
                yield from self._list(path)
            except (AccessDenied, NotFound) as error:
                refused = error
            else:
                return
        if not _owners(self._connection.include) and not _exact_names(self._connection):
            raise refused

    def _list_owner(self, owner: str) -> Iterator[GitHubRepository]:
        """Those of an organisation or a person. What keeps them from being listed is no trouble of others."""
        try:
            try:
                yield from self._list(f"orgs/{quote(owner)}/repos")
            except NotFound:
                yield from self._list(f"users/{quote(owner)}/repos")
        except NotFound:
            return
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            is_refused = not isinstance(error, TransientError)
            self._gaps.append(ListingGap(str(error), lambda unit: _owner(unit.name) == owner.lower(), is_refused))

    def _list(self, path: str) -> Iterator[GitHubRepository]:
        for page in self._pages.list(path):
            self._omitted |= dict.fromkeys(page.omitted)
            for repository in page.items:
                if repository.owner and repository.owner.id:
                    self._owners[_owner(repository.full_name)] = repository.owner.id
                yield repository

    def _single_sign_on(self) -> ListingGap:
        """Of an owner whose repositories were listed although it is none of those that were left out, all were."""
        omitted, listed = set(self._omitted), self._owners

        def may_be_left_out(unit: Unit) -> bool:
            owner = listed.get(_owner(unit.name))
            return owner is None or owner in omitted

        reason = (
            f"GitHub leaves out repositories of the organisations {', '.join(self._omitted)}, until the token is "
            "authorised for their single sign-on (`Configure SSO` beside the token)"
        )
        return ListingGap(reason, may_be_left_out)

    def _look_up(self, name: str) -> Iterator[GitHubRepository]:
        """A repository that `include` spells out and that no listing named.

        One that was renamed or transferred is still the one that was asked for. One that cannot be looked up, for
        reasons of its own, is unreadable: an organisation may demand single sign-on, a server fail for one of them.
        """
        try:
            found = self._pages.find(name)
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            if not isinstance(error, NotFound) or isinstance(error, Blocked):
                self._unreadable.append(UnreadableUnit(name, str(error), not isinstance(error, TransientError)))
                self._matched.add(name)
        else:
            yield from self._included(iter((found,)), name)

    def _included(self, found: Iterator[GitHubRepository], *aliases: str) -> Iterator[GitHubRepository]:
        """Those of `found` that are new and that the patterns take in, under their name or one that the settings have
        for them."""
        for repository in found:
            name, unit_id = repository.full_name, repository.unit_id
            if not name or unit_id in self._seen or not self._connection.includes(name, *aliases):
                continue
            self._matched |= {one for one in self._connection.include if _takes_in(one, (name, *aliases))}
            if not unit_id:
                logger.warning("%s is not read: the server gives it no id, and its name can pass to another", name)
                continue
            self._seen.add(unit_id)
            self._names.add(name.lower())
            yield repository


def _takes_in(pattern: str, names: Sequence[str]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for name in names)


def _exact_names(connection: GitHubConnection) -> list[str]:
    return [pattern for pattern in connection.include if "/" in pattern and not _has_wildcard(pattern)]


def _owners(patterns: Sequence[str]) -> list[str]:
    """Owners of those patterns that leave the repository open, such as `acme/*`."""
    owners = (pattern.partition("/")[0] for pattern in patterns if "/" in pattern and _has_wildcard(pattern))
    return list({owner.lower(): owner for owner in owners if not _has_wildcard(owner)}.values())


def _owner(name: str) -> str:
    return name.partition("/")[0].lower()


def _has_wildcard(text: str) -> bool:
    return any(mark in text for mark in "*?[")
