"""Who may read what on GitHub: everybody a public repository, its collaborators any other.

Unknown means nobody. A repository whose visibility is not told is taken for private. A collaborator counts
only where an e-mail address is known: the connection's `emails` names it, the organisation has verified its
domain, or the profile shows it (GitHub lets people show only addresses that they have verified). An `internal`
repository is read by its collaborators alone, although the whole enterprise could: the API does not list an
enterprise's people to an ordinary token.

Collaborators include members of teams and of the organisation whose base permission reaches the repository:
https://docs.github.com/en/rest/collaborators/collaborators#list-repository-collaborators
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote

from connectors.contract import Membership
from connectors.errors import AccessDenied, NotFound, RequestRejected
from connectors.github.client import GitHubClient
from connectors.github.graphql import aliased
from connectors.github.responses import Payload
from connectors.model import PUBLIC, group_token

logger = logging.getLogger(__name__)

PEOPLE_PER_REQUEST = 50


def is_public(repository: Payload) -> bool:
    """Whether everybody may read it. Older servers tell `private` alone."""
    visibility = repository.get("visibility")
    if visibility is not None:
        return bool(visibility == "public") and repository.get("private") is not True
    return repository.get("private") is False


def readers(connection: str, unit: str, repository: Payload) -> tuple[str, ...]:
    """Reader tokens of everything in a repository."""
    return (PUBLIC,) if is_public(repository) else (group_token(connection, unit),)


def memberships(
    client: GitHubClient, emails: Mapping[str, str], repositories: Iterable[Payload]
) -> Iterator[Membership]:
    """Collaborators of those `repositories` that are not public, by each e-mail address that is known of them.

    One request for each repository, and one for each handful of people.
    """
    known: dict[str, tuple[str, ...]] = {login.lower(): (email,) for login, email in emails.items()}
    for repository in repositories:
        if is_public(repository):
            continue
        name = str(repository["full_name"])
        logins = _collaborators(client, name)
        known |= _addresses(client, repository, [login for login in logins if login not in known])
        for login in logins:
            for email in known[login]:
                yield Membership(name, email)


def _collaborators(client: GitHubClient, name: str) -> list[str]:
    try:
        found = list(client.listing(f"repos/{quote(name)}/collaborators"))
    except (AccessDenied, NotFound) as error:
        logger.warning("%s: its documents are visible to administrators only: %s", name, error)
        return []
    return [str(person["login"]).lower() for person in found if person.get("login")]


def _addresses(client: GitHubClient, repository: Payload, logins: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """E-mail addresses of people, many at once where the server has GraphQL."""
    owner = repository.get("owner") or {}
    organisation = str(owner["login"]) if owner.get("type") == "Organization" else ""
    found: dict[str, tuple[str, ...]] = {}
    for start in range(0, len(logins), PEOPLE_PER_REQUEST):
        batch = logins[start : start + PEOPLE_PER_REQUEST]
        try:
            found |= _verified(client, organisation, batch)
        except (AccessDenied, NotFound, RequestRejected):
            found |= {login: _shown(client, login) for login in batch}
    return found


def _verified(client: GitHubClient, organisation: str, logins: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """https://docs.github.com/en/graphql/reference/objects#user"""
    ours = f"organizationVerifiedDomainEmails(login: {json.dumps(organisation)})" if organisation else ""
    fields = {f"u{place}": f"user(login: {json.dumps(login)}) {{ email {ours} }}" for place, login in enumerate(logins)}
    answer = client.query(f"query {{ {aliased(fields)} }}")
    people = [answer.get(f"u{place}") or {} for place in range(len(logins))]
    return {login: _distinct(person) for login, person in zip(logins, people, strict=True)}


def _distinct(person: Payload) -> tuple[str, ...]:
    emails = [*(person.get("organizationVerifiedDomainEmails") or ()), person.get("email")]
    return tuple(dict.fromkeys(str(email).lower() for email in emails if email))


def _shown(client: GitHubClient, login: str) -> tuple[str, ...]:
    try:
        return _distinct(client.get(f"users/{quote(login)}"))
    except (AccessDenied, NotFound):
        return ()
