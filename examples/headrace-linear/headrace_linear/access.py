"""Who may read what: people of the workspace, and members of a team that is not open to all of them.

https://linear.app/docs/private-teams · https://linear.app/docs/members-roles
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connectors.contract import Membership
from connectors.model import group_token
from headrace_linear.client import LinearClient
from headrace_linear.payloads import LinearTeam, LinearUser

WORKSPACE = "workspace"
"""Group of all who are in the workspace, guests apart: a guest sees the teams that he was added to, and no other."""


def team_readers(connection: str, team: LinearTeam) -> tuple[str, ...]:
    """Only a team that says that it is public is open to the workspace."""
    members = group_token(connection, team.id)
    return (group_token(connection, WORKSPACE), members) if team.visibility == "public" else (members,)


def read_memberships(client: LinearClient, teams: Iterable[LinearTeam]) -> Iterator[Membership]:
    """Of the workspace and of these teams, each once."""
    for user in client.users():
        if not user.guest:
            yield from _membership(WORKSPACE, user)
    for team in teams:
        for user in client.members(team.id):
            yield from _membership(team.id, user)


def _membership(group: str, user: LinearUser) -> Iterator[Membership]:
    if user.active and user.email:
        yield Membership(group, user.email)
