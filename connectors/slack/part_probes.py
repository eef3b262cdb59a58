"""What each part of a sync answers, asked on real objects: for `headrace check`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property, partial
from itertools import islice

from connectors.contract import Finding
from connectors.errors import AccessDenied, RateLimited
from connectors.model import Unit
from connectors.sampling import find_one
from connectors.slack.access import kind_of
from connectors.slack.client import PAGE_SIZE, SlackClient
from connectors.slack.directory import SlackDirectory
from connectors.slack.downloads import FileLoader
from connectors.slack.file_types import download_url, reason_to_skip
from connectors.slack.part_table import (
    BOTS,
    CHANNEL_KINDS,
    FILES,
    HISTORY,
    MEMBERS,
    PEOPLE,
    PUBLIC_CHANNELS,
    REPLIES,
    USER_GROUPS,
)
from connectors.slack.payloads import SlackFile, SlackMessage
from connectors.slack.refusals import NoSuchObject, ObjectRefused
from connectors.source_parts import Part, probe_part

_EMAIL = "users:read.email"
_LARGEST = 1_000_000
"""Bytes of a file that is loaded to see whether files can be."""
_NO_BOT, _NO_TIME = "B0", "1.000000"
_NOTHING = "ok, as far as can be told: there is none to ask about"


class PartProbes:
    """Asks about each part, of the first channel of each type in reach, since each type needs scopes of its own."""

    def __init__(
        self, client: SlackClient, loader: FileLoader, directory: SlackDirectory, units: Sequence[Unit], scopes: str
    ) -> None:
        """`scopes` are those of the token, where Slack tells them."""
        self._client = client
        self._loader = loader
        self._directory = directory
        self._units = {kind_of(unit): unit for unit in reversed(units)}
        self._scopes = {scope.strip() for scope in scopes.split(",")} - {""}

    def findings(self) -> Iterator[Finding]:
        """One for each part. Raises AuthenticationFailed and RateLimited."""
        for kind, part in CHANNEL_KINDS.items():
            yield _probe(part, lambda kind=kind: self._ask_channels(kind))  # type: ignore[misc]
        asked: tuple[tuple[Part, Callable[[], object]], ...] = (
            (HISTORY, self._ask_history),
            (REPLIES, self._ask_replies),
            (FILES, self._ask_files),
            (MEMBERS, self._ask_members),
            (PEOPLE, self._ask_people),
            (USER_GROUPS, lambda: [self._client.usergroups(team) for team in self._directory.named_workspaces]),
            (BOTS, self._ask_bots),
        )
        for part, ask in asked:
            yield _probe(part, ask)

    def _ask_channels(self, kind: str) -> str:
        """As the list of channels has just been asked for."""
        if error := self._directory.channel_errors.get(kind):
            raise error
        return "ok" if kind in self._units else "ok, none in reach"

    @cached_property
    def _messages(self) -> dict[str, list[SlackMessage]]:
        """The latest messages of the first channel of each type. Raises SourceError."""
        return {unit.id: next(self._client.history(unit.id)).messages for unit in self._units.values()}

    def _said(self, unit: Unit) -> list[SlackMessage]:
        """Messages of a channel, where its history could be read."""
        return self._messages.get(unit.id, []) if "_messages" in self.__dict__ else []

    def _ask_history(self) -> str:
        return "ok" if self._messages else _NOTHING

    def _ask_replies(self) -> str:
        """Of a message without any Slack answers the message itself, and that it is not there of one that is not."""
        for unit in self._units.values():
            said, ask = self._said(unit), partial(self._client.has_thread, unit.id)
            if threads := [one.ts for one in said if one.is_root] or [one.root_ts for one in said[:1]]:
                find_one(threads, ask)
            else:
                with suppress(NoSuchObject):
                    ask(_NO_TIME)
        return "ok" if self._units else _NOTHING

    def _ask_files(self) -> str:
        team = next(iter(self._directory.named_workspaces), None)
        listed = (file for unit in self._units.values() for file in self._client.files(unit.id, team))
        find_one(filter(_is_tried, listed), self._loader.load)
        return "ok" if self._units else _NOTHING

    def _ask_members(self) -> str:
        """Of private channels, whose members are all that see them."""
        asked = [unit for kind, unit in self._units.items() if CHANNEL_KINDS[kind] is not PUBLIC_CHANNELS]
        for unit in asked or list(self._units.values()):
            next(self._client.members(unit.id), None)
        return "ok" if self._units else _NOTHING

    def _ask_people(self) -> str:
        team = next(iter(self._directory.named_workspaces), None)
        listed = islice(self._client.users(team), PAGE_SIZE)
        people = [user for user in listed if not (user.is_bot or user.deleted)]
        if self._scopes and _EMAIL not in self._scopes:
            raise AccessDenied("users.list", "it tells no addresses", _EMAIL)
        if people and not any(user.profile.email for user in people):
            raise AccessDenied("users.list", "it tells no addresses", _EMAIL)
        return "ok"

    def _ask_bots(self) -> str:
        """Of a bot that is not there, where none is known, Slack says so."""
        said = (message.bot_id for unit in self._units.values() for message in self._said(unit))
        bot = self._directory.identity.bot_id or next(filter(None, said), _NO_BOT)
        self._client.bot(bot, next(iter(self._directory.named_workspaces), None))
        return "ok"


def _is_tried(file: SlackFile) -> bool:
    """Whether a file is small, and one of those that are read."""
    return 0 < (file.size or 0) <= _LARGEST and bool(download_url(file)) and not reason_to_skip(file)


def _probe(part: Part, ask: Callable[[], object]) -> Finding:
    """A part that fails, and not Slack as a whole, is a finding too. An object that is gone or refused is an answer."""

    def ask_of_method() -> object:
        try:
            return ask()
        except (NoSuchObject, ObjectRefused) as error:
            return str(error)

    return probe_part(part, ask_of_method, raises=(RateLimited,))
