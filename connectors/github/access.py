"""Who may read what on GitHub: everybody a public repository, its collaborators any other.

Unknown means nobody. A repository that does not state its visibility counts as private. A collaborator counts
only where an e-mail address is known: the connection's `emails` names it, the organisation has verified its
domain, or the profile shows it (GitHub lets people show only addresses that they have verified). An `internal`
repository is read by its collaborators alone, although the whole enterprise could: the API does not list an
enterprise's people to an ordinary token.

Collaborators include members of teams and of the organisation whose base permission reaches the repository:
https://docs.github.com/en/rest/collaborators/collaborators#list-repository-collaborators
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias
from urllib.parse import quote

from connectors.addresses import find_address
from connectors.contract import Account, MembershipCache, MembershipItem
from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    UnreadableUnits,
)
from connectors.github.client import GitHubClient
from connectors.github.collaborator_batches import CollaboratorBatches
from connectors.github.collaborators import collaborator_logins
from connectors.github.graphql import select_by_alias
from connectors.github.payloads.graphql import GitHubPerson, PeopleByAlias
from connectors.github.payloads.parsing import NotAsDocumented
from connectors.github.payloads.rest import GitHubRepository
from connectors.groups import GroupReads
from connectors.model import PUBLIC, group_token

NoteTrouble: TypeAlias = Callable[[str, SourceError | None], None]

PEOPLE_PER_REQUEST = 50


def reader_tokens(connection: str, repository: GitHubRepository) -> tuple[str, ...]:
    """Reader tokens of everything in a repository."""
    return (PUBLIC,) if repository.is_public else (group_token(connection, repository.unit_id),)


@dataclass(frozen=True, slots=True)
class KnownAddresses:
    """E-mail addresses by login: an organisation tells those whose domains it has verified, and no other's.

    `named` are those that the settings give to logins, whoever asks.
    """

    named: Mapping[str, tuple[str, ...]]
    names: dict[str, str] = field(default_factory=dict)
    """What people call themselves, as far as they were asked for."""
    _by_organisation: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)

    def of(self, organisation: str) -> dict[str, tuple[str, ...]]:
        """Those that are known to an organisation; by the empty name, what people tell of themselves."""
        return self._by_organisation.setdefault(organisation.lower(), dict(self.named))

    @classmethod
    def of_settings(cls, emails: Mapping[str, str]) -> KnownAddresses:
        return cls({login.lower(): (email,) for login, email in emails.items()})

    def accounts(self) -> Iterator[Account]:
        """All who are known by now."""
        known = (self.named, *self._by_organisation.values())
        for login in sorted({login for one in known for login in one}):
            emails = tuple(dict.fromkeys(email for one in known for email in one.get(login, ())))
            name = self.names.get(login, "")
            if name or emails:
                yield Account(login, name, emails=emails)


def memberships(
    client: GitHubClient,
    known: KnownAddresses,
    repositories: Iterable[GitHubRepository],
    note: NoteTrouble,
    cache: MembershipCache | None = None,
    batches: CollaboratorBatches | None = None,
) -> Iterator[MembershipItem]:
    """Collaborators of those `repositories` that are not public, by each e-mail address that is known of them.

    Whoever is found is added to `known`. `note` is told of each repository by its unit's id, with what kept its
    collaborators from being listed, if anything did. One request for each page of a repository's collaborators, and one
    for each handful of people; with a `cache` those of pages that have not changed count on no quota. `batches` tell of
    many repositories at once.
    """
    groups = GroupReads(lambda: client.headers("rate_limit"))
    try:
        for repository in batches.expect(repositories) if batches else repositories:
            if repository.is_public:
                note(repository.unit_id, None)
                continue
            told = batches.take(repository) if batches else None
            read = partial(_members, client, repository, known, cache, told)
            yield from groups.read(repository.unit_id, partial(_noting, repository.unit_id, read, note))
    except UnreadableUnits as error:
        # Of one that is refused nobody sees anything; the group of one whose trouble passes stays as it was, and so do
        # those of what the source has left out of its list.
        if error.gaps or not error.are_refused:
            raise


def _noting(unit_id: str, read: Callable[[], list[str]], note: NoteTrouble) -> list[str]:
    try:
        found = read()
    except (AuthenticationFailed, RateLimited):
        raise
    except SourceError as trouble:
        note(unit_id, trouble)
        raise
    note(unit_id, None)
    return found


def _members(
    client: GitHubClient,
    repository: GitHubRepository,
    known: KnownAddresses,
    cache: MembershipCache | None,
    told: Mapping[str, GitHubPerson] | None,
) -> list[str]:
    """Addresses of a repository's collaborators, who may be `told` already; those of people who are new to it are added
    to `known`.

    Of addresses nothing is kept from one reading to the next: one that is withdrawn counts at once.
    """
    logins = collaborator_logins(client, repository, cache) if told is None else list(told)
    organisation = repository.organisation
    by_login = known.of(organisation)
    unknown = [login for login in logins if login not in by_login]
    people = _people(client, organisation, unknown) if told is None else {login: told[login] for login in unknown}
    by_login |= {login: _distinct(person) for login, person in people.items()}
    known.names.update((login, person.name) for login, person in people.items() if person)
    return [email for login in logins for email in by_login[login]]


def _people(client: GitHubClient, organisation: str, logins: Sequence[str]) -> dict[str, GitHubPerson | None]:
    """People by login, many at once where the server has GraphQL."""
    found: dict[str, GitHubPerson | None] = {}
    for start in range(0, len(logins), PEOPLE_PER_REQUEST):
        batch = logins[start : start + PEOPLE_PER_REQUEST]
        try:
            found |= _known_to(client, organisation, batch)
        except (AccessDenied, NotFound, RequestRejected, NotAsDocumented):
            found |= {login: _profile(client, login) for login in batch}
    return found


def _known_to(client: GitHubClient, organisation: str, logins: Sequence[str]) -> dict[str, GitHubPerson | None]:
    """With the addresses whose domains the organisation has verified.

    https://docs.github.com/en/graphql/reference/objects#user
    """
    ours = f"organizationVerifiedDomainEmails(login: {json.dumps(organisation)})" if organisation else ""
    fields = {f"u{at}": f"user(login: {json.dumps(login)}) {{ name email {ours} }}" for at, login in enumerate(logins)}
    people = client.query(PeopleByAlias, f"query {{ {select_by_alias(fields)} }}").root
    return {login: people.get(f"u{at}") for at, login in enumerate(logins)}


def _profile(client: GitHubClient, login: str) -> GitHubPerson | None:
    try:
        return client.get(GitHubPerson, f"users/{quote(login)}")
    except (AccessDenied, NotFound):
        return None


def _distinct(person: GitHubPerson | None) -> tuple[str, ...]:
    emails = (*person.organization_verified_domain_emails, person.email) if person else ()
    return tuple(dict.fromkeys(address for address in map(find_address, emails) if address))
