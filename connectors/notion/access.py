"""Who may read what on Notion: as the connection's `readers` say, because the API tells no page's permissions."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from connectors.contract import Membership, MembershipItem, UnreadableGroup
from connectors.errors import AccessDenied, NotFound, RequestRejected
from connectors.model import PUBLIC, group_token, user_token
from connectors.notion.client import NotionClient
from connectors.notion.settings import NotionConnection

logger = logging.getLogger(__name__)

WORKSPACE = "workspace"
"""The group of all people of the workspace; guests are not in it."""


def readers(connection: NotionConnection) -> tuple[str, ...]:
    """Reader tokens of everything that the connection reads."""
    return tuple(dict.fromkeys(_token(connection.id, name.strip()) for name in connection.readers if name.strip()))


def memberships(connection: NotionConnection, client: NotionClient) -> Iterator[MembershipItem]:
    """People of the workspace, where they are readers. Trouble that passes is raised: there is no other group."""
    if group_token(connection.id, WORKSPACE) not in readers(connection):
        return
    try:
        people = addresses(client)
    except (AccessDenied, NotFound, RequestRejected) as error:
        yield UnreadableGroup(WORKSPACE, str(error))
    else:
        yield from (Membership(WORKSPACE, address) for address in people)


def addresses(client: NotionClient) -> list[str]:
    """Of the people of the workspace, as far as the integration may see them; bots are left out. Raises SourceError.

    https://developers.notion.com/reference/get-users
    """
    return [user.person.email for user in client.users() if user.type == "person" and user.person.email]


def names(client: NotionClient) -> dict[str, str]:
    """Names of people and bots by id; empty where the integration may not see users, or the server lists none."""
    try:
        return {user.id: user.name for user in client.users() if user.name}
    except (AccessDenied, NotFound, RequestRejected) as error:
        logger.info("people keep no names: %s", error)
        return {}


def _token(connection: str, name: str) -> str:
    if name == PUBLIC:
        return PUBLIC
    return group_token(connection, WORKSPACE) if name == WORKSPACE else user_token(name)
