"""People, user groups, channels, and whose a token is."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BeforeValidator

from connectors.payloads import LenientPayload
from connectors.slack.payloads.fields import Entries, Flag
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
    deleted: Flag = False
    is_bot: Flag = False
    is_stranger: Flag = False
    is_restricted: Flag = False
    is_ultra_restricted: Flag = False
    profile: SlackProfile = SlackProfile()
    enterprise_user: EnterpriseUser = EnterpriseUser()


class SlackUsergroup(LenientPayload):
    """https://docs.slack.dev/reference/objects/usergroup-object"""

    id: str = ""
    name: str = ""
    handle: str = ""
    users: Entries[str] = ()
    date_delete: Flag = False


class SlackChannel(LenientPayload):
    """https://docs.slack.dev/reference/objects/conversation-object

    One that does not say whether it is private is. `is_member` is None where Slack does not say.
    """

    id: str = ""
    name: str = ""
    is_private: Annotated[bool, BeforeValidator(lambda value: value is not False)] = True
    is_mpim: Flag = False
    is_archived: Flag = False
    is_member: bool | None = None


class SlackIdentity(LenientPayload):
    """Whose the token is: https://docs.slack.dev/reference/methods/auth.test"""

    user: str = ""
    team: str = ""
    team_id: TeamId = ""
    bot_id: str = ""
    url: str = ""
