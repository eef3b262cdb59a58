"""Who may read what on Slack: a public channel the members of the workspace, a private one its own members.

Unknown means nobody. In an organisation each workspace has members of its own, and a public channel those of the
workspaces that it is in. Guests see only the channels they are in, so they do not belong to the group of the
workspace; neither do bots, deleted accounts and people of other organisations in shared channels.
Needs the scopes users:read.email, for private channels groups:read, and for user groups usergroups:read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

from connectors.contract import MembershipItem
from connectors.errors import (
    AuthenticationFailed,
    ListingGap,
    NotFound,
    RateLimited,
    SourceError,
    TransientError,
    UnreadableUnits,
)
from connectors.groups import GroupReads
from connectors.isolation import FAILURES_IN_A_ROW
from connectors.model import Unit, group_token
from connectors.slack.client import SlackClient
from connectors.slack.directory import SlackDirectory
from connectors.slack.part_table import CHANNEL_KINDS
from connectors.slack.payloads import SlackChannel, SlackUser
from connectors.slack.refusals import is_of_method
from connectors.source_parts import listing_gap

NoteTrouble: TypeAlias = Callable[[str, SourceError | None], None]

WORKSPACE = "workspace"
SLACKBOT = "USLACKBOT"
"""Slack's own account, which is not always marked as a bot."""
MOST_LOOKED_UP = 200
"""People that are asked for one by one, where the list of all is refused. Slack allows about a hundred a minute."""


def is_private(channel: SlackChannel) -> bool:
    """Whether only members see a channel; group direct messages are private, whatever they say."""
    return channel.is_private or channel.is_mpim


def workspace_groups(channel: SlackChannel, directory: SlackDirectory) -> tuple[str, ...]:
    """Groups of the workspaces whose members see a public channel; none of an organisation's, where it tells of none
    that is read."""
    if not directory.identity.is_organization:
        return (WORKSPACE,)
    told = {*channel.teams, *channel.internal_team_ids, *channel.shared_team_ids, channel.context_team_id}
    return tuple(team for team in directory.workspaces if team in told)


def channel_readers(connection: str, channel: SlackChannel, workspaces: Sequence[str]) -> tuple[str, ...]:
    """Reader tokens of everything in a channel: of its own group where it is private, or in no known workspace."""
    groups = (channel.id,) if is_private(channel) or not workspaces else workspaces
    return tuple(group_token(connection, group) for group in groups)


def read_memberships(client: SlackClient, directory: SlackDirectory, note: NoteTrouble) -> Iterator[MembershipItem]:
    """Members of the workspaces, of each private channel, and of each user group.

    `note` is told of each private channel by its id, with what kept its members from being listed, if anything did.
    Raises UnreadableUnits after all others, where channels of a type could not be listed.
    """
    groups, people = GroupReads(client.identity), _People(client, directory)
    for team in directory.workspaces:
        yield from groups.read(team if directory.identity.is_organization else WORKSPACE, partial(people.members, team))
    members = _ChannelMembers(client, note)
    for channel in directory.channels.values():
        if is_private(channel):
            # Its first request is sent when its addresses are asked for.
            yield from groups.read(channel.id, partial(people.colleagues, members.read(channel)))
    for group in directory.usergroups.values():
        if not group.date_delete:
            yield from groups.read(group.id, partial(people.colleagues, group.users))
    if gaps := listing_gaps(directory):
        raise UnreadableUnits(gaps=gaps)


def listing_gaps(directory: SlackDirectory) -> list[ListingGap]:
    """What is missing from the list of channels, by their types."""
    return [
        listing_gap(CHANNEL_KINDS[kind], error, partial(_is_of_kind, kind))
        for kind, error in directory.channel_errors.items()
    ]


def kind_of(unit: Unit) -> str:
    """Slack's type of a channel that is known as a unit."""
    if not any(reader.endswith(f":{unit.id}") for reader in unit.readers):
        return "public_channel"
    return "mpim" if unit.name.startswith("mpdm-") else "private_channel"


def _is_of_kind(kind: str, unit: Unit) -> bool:
    return kind_of(unit) == kind


def is_member(user: SlackUser, team: str) -> bool:
    """Whether somebody may see every public channel of the workspace `team`."""
    return is_colleague(user, team) and not (user.is_restricted or user.is_ultra_restricted)


def is_colleague(user: SlackUser, team: str) -> bool:
    """Whether this is a person of the workspace, guests included, and not of one that shares a channel with it.

    In an Enterprise organisation a person belongs to one workspace, and may be in others: `enterprise_user.teams`.
    """
    if user.deleted or user.is_bot or user.is_stranger or user.id == SLACKBOT:
        return False
    return not team or (user.team_id or team) == team or team in user.enterprise_user.teams


class _ChannelMembers:
    """Ids of the members of channels. Once a few channels in a row were refused, others of their kind are not asked
    for: what is missing is a scope, or the whole method."""

    def __init__(self, client: SlackClient, note: NoteTrouble) -> None:
        self._client = client
        self._note = note
        self._errors: dict[bool, list[SourceError]] = {True: [], False: []}

    def read(self, channel: SlackChannel) -> Iterator[str]:
        """Raises SourceError."""
        errors = self._errors[channel.is_mpim]
        if len(errors) == FAILURES_IN_A_ROW:
            self._note(channel.id, errors[-1])
            raise SourceError(str(errors[-1]))
        try:
            yield from self._client.members(channel.id)
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            self._note(channel.id, error)
            if is_of_method(error) or isinstance(error, TransientError):
                errors.append(error)
            raise
        self._note(channel.id, None)
        errors.clear()


class _People:
    """Addresses of people, from the list of all; where that cannot be read, of each who is asked for."""

    def __init__(self, client: SlackClient, directory: SlackDirectory) -> None:
        self._client = client
        self._directory = directory
        self._one_by_one: dict[str, SlackUser | None] | None = None

    def members(self, team: str) -> list[str]:
        """Addresses of all who may see every public channel of a workspace. Raises SourceError where the list of people
        cannot be read."""
        try:
            users = self._directory.users
        except SourceError:
            self._one_by_one = {}
            raise
        return [user.profile.email for user in users.values() if is_member(user, team)]

    def colleagues(self, ids: Iterable[str]) -> list[str]:
        """Addresses of those of the workspaces' people who are among `ids`. Raises SourceError."""
        found, teams = map(self._find, ids), self._directory.workspaces
        return [user.profile.email for user in found if user and any(is_colleague(user, team) for team in teams)]

    def _find(self, user_id: str) -> SlackUser | None:
        known = self._one_by_one
        if known is None:
            return self._directory.users.get(user_id)
        if user_id not in known:
            if len(known) == MOST_LOOKED_UP:
                raise SourceError("users.list cannot be read, and its people are too many to be asked for one by one")
            known[user_id] = self._look_up(user_id)
        return known[user_id]

    def _look_up(self, user_id: str) -> SlackUser | None:
        try:
            return self._client.user(user_id)
        except NotFound:
            return None
