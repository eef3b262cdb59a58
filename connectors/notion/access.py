"""Who may read what on Notion: as the connection's settings say, because the API tells no page's permissions.

Nor does it tell teamspaces: what is at the top of one has the parent `workspace`
(https://developers.notion.com/reference/parent-object).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from connectors.contract import EmptyGroup, Membership, MembershipItem, UnreadableGroup
from connectors.errors import REFUSALS
from connectors.fingerprints import fingerprint
from connectors.model import group_token, readers_include
from connectors.notion.client import NotionClient
from connectors.notion.objects import NotionObject
from connectors.notion.payloads.users import NotionUser
from connectors.notion.settings import WORKSPACE, NotionConnection, reader_tokens


def readers(connection: NotionConnection, path: Iterable[NotionObject]) -> tuple[str, ...]:
    """Reader tokens of an object; `path` runs from the outermost page or database in reach to the object itself.

    What that one is in may have readers of its own, or be in what has: where the settings do not name it, those read
    whom every entry of them names.
    """
    path, by_page = [*path], connection.readers_by_page
    above = path[0].parent if path else None
    ids = [*((above.id,) if above else ()), *(one.ref.id for one in path)]
    if nearest := next((own for own in reversed(ids) if own in by_page), None):
        return reader_tokens(connection.id, by_page[nearest])
    if above and by_page:
        return tuple(sorted(connection.certain_readers))
    return reader_tokens(connection.id, connection.readers)


def titles(connection: NotionConnection, ancestors: Sequence[NotionObject], own: Collection[str]) -> list[str]:
    """Titles of what a document with these reader tokens is in, from the outermost on; empty where not all of its
    readers may see one."""
    above = (readers(connection, ancestors[:number]) for number in range(1, len(ancestors) + 1))
    return [one.title if readers_include(tokens, own) else "" for one, tokens in zip(ancestors, above, strict=True)]


def readers_fingerprint(connection: NotionConnection) -> str:
    """Differs where objects may have other readers, by pages or by default; empty where all have those of their unit,
    and follow it."""
    if not connection.readers_by_page:
        return ""
    by_page = {page: sorted(reader_tokens(connection.id, named)) for page, named in connection.readers_by_page.items()}
    # What a former release has read tells titles that not all readers may see.
    return fingerprint([sorted(reader_tokens(connection.id, connection.readers)), by_page, "titles"])


def names_workspace(connection: NotionConnection) -> bool:
    """Whether all people of the workspace are readers of anything."""
    named = (connection.readers, *connection.readers_by_page.values())
    return any(group_token(connection.id, WORKSPACE) in reader_tokens(connection.id, names) for names in named)


def memberships(
    connection: NotionConnection, client: NotionClient, users: list[NotionUser]
) -> Iterator[MembershipItem]:
    """People of the workspace, where they are readers; all users are added to `users`. Trouble that passes is raised:
    there is no other group."""
    if not names_workspace(connection):
        return
    try:
        users.extend(client.users())
    except REFUSALS as error:
        yield UnreadableGroup(WORKSPACE, str(error))
    else:
        people = addresses(users)
        yield from (Membership(WORKSPACE, address) for address in people)
        if not people:
            yield EmptyGroup(WORKSPACE)


def addresses(users: Iterable[NotionUser]) -> list[str]:
    """Of the people of the workspace, as far as the integration may see them; bots are left out.

    https://developers.notion.com/reference/get-users
    """
    return [user.person.email for user in users if user.type == "person" and user.person.email]


def names(client: NotionClient) -> dict[str, str]:
    """Names of people and bots by id. Raises SourceError."""
    return {user.id: user.name for user in client.users() if user.name}
