"""People, user groups, channels, and whose a token is."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BeforeValidator

from connectors.payloads import Entries, LenientPayload
from connectors.slack.payloads.fields import Truthy
from connectors.slack.payloads.messages import SlackProfile

TeamId: TypeAlias = Annotated[str, BeforeValidator(str)]
"""Of a workspace. One that is not as documented is another workspace's, and not none: none would let everybody in."""


class EnterpriseUser(LenientPayload):
    teams: Entries[str] = ()


class SlackUser(LenientPayload):
    """https://docs.slack.dev/reference/objects/user-object

    `is_restricted` and `is_ultra_restricted` are guests, `is_stranger` somebody of another organisation.
    """

    id: str = ""
    name: str = ""
    real_name: str = ""
    team_id: TeamId = ""
    deleted: Truthy = False
    is_bot: Truthy = False
    is_stranger: Truthy = False
    is_restricted: Truthy = False
    is_ultra_restricted: Truthy = False
    profile: SlackProfile = SlackProfile()
    enterprise_user: EnterpriseUser = EnterpriseUser()


class SlackBot(LenientPayload):
    """https://docs.slack.dev/reference/methods/bots.info"""

    id: str = ""
    name: str = ""


class SlackUsergroup(LenientPayload):
    """https://docs.slack.dev/reference/objects/usergroup-object"""

    id: str = ""
    name: str = ""
    handle: str = ""
    users: Entries[str] = ()
    date_delete: Truthy = False


class SlackTeam(LenientPayload):
    """A workspace: https://docs.slack.dev/reference/methods/auth.teams.list"""

    id: str = ""


class SlackChannel(LenientPayload):
    """https://docs.slack.dev/reference/objects/conversation-object

    One that does not say whether it is private is. `is_member` is None where Slack does not say. `teams` are the
    workspaces of an organisation that it was listed for, and the others those that it names itself.
    """

    id: str = ""
    name: str = ""
    is_private: Annotated[bool, BeforeValidator(lambda value: value is not False)] = True
    is_mpim: Truthy = False
    is_archived: Truthy = False
    is_member: bool | None = None
    context_team_id: TeamId = ""
    internal_team_ids: Entries[str] = ()
    shared_team_ids: Entries[str] = ()
    teams: Entries[str] = ()


class SlackIdentity(LenientPayload):
    """Whose the token is: https://docs.slack.dev/reference/methods/auth.test"""

    user: str = ""
    team: str = ""
    team_id: TeamId = ""
    bot_id: str = ""
    url: str = ""
    is_enterprise_install: Truthy = False

    @property
    def is_organization(self) -> bool:
        """Whether the token is for several workspaces of an organisation (Enterprise Grid)."""
        return self.is_enterprise_install or self.team_id.startswith("E")
