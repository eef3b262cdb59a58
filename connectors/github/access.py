"""Who may read what on GitHub: everybody a public repository, its collaborators any other.

Unknown means nobody. A repository whose visibility is not told is taken for private. A collaborator counts
only where an e-mail address is known: the connection's `emails` names it, or the profile shows it (GitHub
lets people show only addresses that they have verified). An `internal` repository is read by its
collaborators alone, although the whole enterprise could: the API does not list an enterprise's people to
an ordinary token.

Collaborators include members of teams and of the organisation whose base permission reaches the repository:
https://docs.github.com/en/rest/collaborators/collaborators#list-repository-collaborators
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from connectors.errors import AccessDenied, NotFound
from connectors.github.answers import Payload
from connectors.github.client import GitHubClient
from connectors.model import PUBLIC, Membership, group_token

logger = logging.getLogger(__name__)


def is_public(repository: Payload) -> bool:
    """Whether everybody may read it. Older servers tell `private` alone."""
    visibility = repository.get("visibility")
    if visibility is not None:
        return bool(visibility == "public") and repository.get("private") is not True
    return repository.get("private") is False


def readers(connection: str, unit: str, repository: Payload) -> tuple[str, ...]:
    """Reader tokens of everything in a repository."""
    return (PUBLIC,) if is_public(repository) else (group_token(connection, unit),)


def memberships(client: GitHubClient, emails: Mapping[str, str], private: Iterable[str]) -> Iterator[Membership]:
    """Collaborators of `private` repositories whose e-mail address is known. One request a person at most."""
    known: dict[str, str | None] = {login.lower(): email for login, email in emails.items()}
    for name in private:
        for login in _collaborators(client, name):
            if login not in known:
                known[login] = _shown_email(client, login)
            if email := known[login]:
                yield Membership(name, email)


def _collaborators(client: GitHubClient, name: str) -> list[str]:
    try:
        found = list(client.listing(f"repos/{quote(name)}/collaborators"))
    except (AccessDenied, NotFound) as error:
        logger.warning("%s: its documents are visible to administrators only: %s", name, error)
        return []
    return [str(person["login"]).lower() for person in found if person.get("login")]


def _shown_email(client: GitHubClient, login: str) -> str | None:
    try:
        return client.get(f"users/{quote(login)}").get("email") or None
    except (AccessDenied, NotFound):
        return None
