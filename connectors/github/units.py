"""Which repositories a token reaches. Each of the four kinds of token has a listing of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import chain
from urllib.parse import quote

from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    Blocked,
    NotFound,
    RateLimited,
    SourceError,
    TransientError,
    UnreadableUnit,
    UnreadableUnits,
)
from connectors.github.client import GitHubClient
from connectors.github.payloads.rest import GitHubRepository
from connectors.github.settings import GitHubConnection

logger = logging.getLogger(__name__)

_LISTINGS = ("user/repos", "installation/repositories")
"""For a person's token, classic or fine-grained, and for an app's installation, which is refused the first."""


def repositories(client: GitHubClient, connection: GitHubConnection) -> Iterator[GitHubRepository]:
    """All repositories that the connection's patterns include, each once; one without an id is none.

    Repositories that `include` spells out are looked up where no listing has them: public ones of others.
    If the token may list nothing at all, those of the owners that `include` names are listed.
    Raises SourceError; UnreadableUnits after all others, where some could not be looked up.
    """
    seen: set[str] = set()
    unreadable: list[UnreadableUnit] = []
    names: set[str] = set()
    listed = ((repository, ()) for repository in _list_all(client, connection))
    for repository, aliases in chain(listed, _look_up(client, connection, names, unreadable)):
        name, unit_id = repository.full_name, repository.unit_id
        if not name or unit_id in seen or not connection.includes(name, *aliases):
            continue
        if not unit_id:
            logger.warning("%s is not read: the server gives it no id, and its name can pass to another", name)
            continue
        seen.add(unit_id)
        names.add(name.lower())
        yield repository
    if unreadable:
        raise UnreadableUnits(unreadable)


def _list_all(client: GitHubClient, connection: GitHubConnection) -> Iterator[GitHubRepository]:
    for path in _LISTINGS:
        try:
            yield from client.listing(GitHubRepository, path)
        except (AccessDenied, NotFound) as error:
            refused = error
        else:
            return
    owners = _owners(connection)
    if not owners and not _exact_names(connection):
        raise refused
    for owner in owners:
        try:
            yield from client.listing(GitHubRepository, f"orgs/{quote(owner)}/repos")
        except NotFound:
            yield from client.listing(GitHubRepository, f"users/{quote(owner)}/repos")


def _look_up(
    client: GitHubClient, connection: GitHubConnection, listed: set[str], unreadable: list[UnreadableUnit]
) -> Iterator[tuple[GitHubRepository, tuple[str, ...]]]:
    """Repositories that `include` spells out and that no listing named, with the name that it has for them.

    One that was renamed or transferred is still the one that was asked for. One that cannot be looked up, for reasons
    of its own, is added to `unreadable`: an organisation may demand single sign-on, a server fail for one of them.
    """
    for name in _exact_names(connection):
        if name.lower() in listed:
            continue
        try:
            yield client.repository(name)[0], (name,)
        except Blocked as error:
            unreadable.append(UnreadableUnit(name, str(error), is_refused=True))
        except NotFound:
            continue
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            unreadable.append(UnreadableUnit(name, str(error), not isinstance(error, TransientError)))


def _exact_names(connection: GitHubConnection) -> list[str]:
    return [pattern for pattern in connection.include if "/" in pattern and not _has_wildcard(pattern)]


def _owners(connection: GitHubConnection) -> list[str]:
    """Owners of the patterns that leave the repository open, such as `acme/*`."""
    open_patterns = (pattern for pattern in connection.include if "/" in pattern and _has_wildcard(pattern))
    owners = (pattern.partition("/")[0] for pattern in open_patterns)
    return list(dict.fromkeys(owner for owner in owners if not _has_wildcard(owner)))


def _has_wildcard(text: str) -> bool:
    return any(mark in text for mark in "*?[")
