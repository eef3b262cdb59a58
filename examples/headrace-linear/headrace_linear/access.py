"""Who may read what: people of the workspace, and members of a team that is not open to all of them.

https://linear.app/docs/private-teams · https://linear.app/docs/members-roles
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from connectors.contract import MembershipItem
from connectors.groups import GroupReads
from connectors.model import group_token
from headrace_linear.client import LinearClient
from headrace_linear.payloads import LinearTeam, LinearUser

WORKSPACE = "workspace"
"""Group of all who are in the workspace, guests apart: a guest sees the teams that he was added to, and no other."""


def team_readers(connection: str, team: LinearTeam) -> tuple[str, ...]:
    """Only a team that says that it is public is open to the workspace."""
    members = group_token(connection, team.id)
    return (group_token(connection, WORKSPACE), members) if team.visibility == "public" else (members,)


def read_memberships(client: LinearClient, teams: Iterable[LinearTeam]) -> Iterator[MembershipItem]:
    """Of the workspace and of these teams. One whose members cannot be read leaves the others alone."""
    groups = GroupReads(client.viewer)
    yield from groups.read(WORKSPACE, lambda: _addresses(user for user in client.users() if not user.guest))
    for team in teams:
        yield from groups.read(team.id, partial(_members, client, team))


def _members(client: LinearClient, team: LinearTeam) -> list[str]:
    return _addresses(client.members(team.id))


def _addresses(users: Iterable[LinearUser]) -> list[str]:
    return [user.email for user in users if user.active and user.email]
