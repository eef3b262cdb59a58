"""One read, listing or look at one channel: part by part, so that what is refused stops nothing else.

What a closed part had to tell is read from the channel's beginning once it is open again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from connectors.contract import Checkpoint, Cursor, Deleted, Failed, Item, ListingEntry, PartState, Window
from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    RateLimited,
    SourceError,
    TransientError,
)
from connectors.isolation import Isolation
from connectors.slack.channel_listing import ChannelListing
from connectors.slack.channel_messages import ChannelMessages
from connectors.slack.channel_parts import ANY_FILE, ChannelParts, PartClosed
from connectors.slack.client import SlackClient
from connectors.slack.cursor import ChannelCursor
from connectors.slack.documents import ChannelDocuments
from connectors.slack.downloads import FileLoader
from connectors.slack.file_contents import FileContents
from connectors.slack.files import ChannelFiles
from connectors.slack.part_table import BOTS, BY_NAME, FILES, HISTORY, PEOPLE, REPLIES, USER_GROUPS
from connectors.slack.reader import ChannelReader
from connectors.source_parts import Part

logger = logging.getLogger(__name__)


class ChannelReads:
    """Reads one channel from a cursor on; blank for all of it."""

    def __init__(self, client: SlackClient, loader: FileLoader, documents: ChannelDocuments, cursor: Cursor) -> None:
        self._documents = documents
        self._directory = documents.directory
        self._is_whole = not cursor.keys() - {"unanswered"}
        self._safe = cursor
        self._position = ChannelCursor.from_json(cursor)
        self._parts = ChannelParts(self._position.closed, client.identity)
        contents = FileContents(client, loader, documents.names, pictures=documents.connection.reads_pictures)
        self._files = ChannelFiles(client, contents, documents, self._parts)
        # Of the API alone: that the host of the files answers says nothing of threads that cannot be read.
        isolation = Isolation(lambda: client.requests)
        self._messages = ChannelMessages(client, documents.unit.id, self._parts)
        self._reader = ChannelReader(self._messages, documents, self._files, isolation)
        self._directory.asked.clear()

    def read(self) -> Iterator[Item]:
        """What changed since the cursor, the states of parts, and a checkpoint."""
        self._reopen_parts()
        try:
            yield from self._read_open_parts()
        except AccessDenied as error:
            # Nothing is said any more in an archived channel, and what was read of it stays.
            if not self._documents.channel.is_archived:
                raise
            logger.info("%s is archived, and out of reach: %s", self._documents.name, error)
            yield Checkpoint(self._position.to_json())
            return
        except TransientError:
            if unanswered := self._parts.unanswered:
                yield Checkpoint({**self._safe, "unanswered": unanswered})
            raise
        self._ask_for_files()
        # An object that failed alone may have done so for a moment: the part is asked once more.
        for name, object_id in self._parts.unanswered.items():
            if object_id != ANY_FILE and not self._parts.is_suspected(BY_NAME[name]):
                self._ask_once_more(BY_NAME[name], object_id)
        yield from self._states(after_history=("days", "threads", "files"), after_replies=("threads", "files"))
        unanswered = self._parts.unanswered
        self._position.unanswered = {name: one for name, one in unanswered.items() if one != ANY_FILE}
        yield Checkpoint(self._position.to_json(), complete=self._is_whole)

    def read_window(self, window: Window) -> Iterator[Item]:
        """The days that a window touches, and the states of parts."""
        try:
            yield from self._reader.read_window(window)
        except PartClosed as closed:
            logger.info("%s: %s", self._documents.name, closed)
        yield from self._states(after_history=(), after_replies=())

    def listing(self) -> Iterator[ListingEntry | PartState]:
        """Every object that the channel has now, and the states of parts."""
        yield from ChannelListing(self._messages, self._documents, self._files, self._parts).entries()
        yield from self._states(after_history=("days", "threads"), after_replies=("threads",))

    def refetch(self, document_id: str, path: str) -> Item:
        """The document of an id, as it is now; `path` is the id's end: `days/2026-03-01`."""
        kind, _, name = path.partition("/")
        try:
            if kind == "files":
                return self._files.refetch(name)
            return self._reader.refetch(kind, name) or Deleted(document_id)
        except PartClosed as closed:
            is_transient = isinstance(closed.error, TransientError)
            return Failed(document_id, document_id, str(closed.error), is_transient=is_transient)

    def incomplete_parts(self) -> Iterator[PartState]:
        """Of what `refetch` asked for: parts that were not complete."""
        return (state for state in self._parts.states({}) if state.status != "complete")

    def _read_open_parts(self) -> Iterator[Item]:
        position = self._position
        is_first = self._is_whole or bool(position.before)
        try:
            for item in self._reader.read_all(position) if is_first else self._reader.read_changes(position):
                yield self._with_closed(item) if isinstance(item, Checkpoint) else item
        except PartClosed as closed:
            logger.info("%s: %s", self._documents.name, closed)
        self._note_directory()

    def _with_closed(self, checkpoint: Checkpoint) -> Checkpoint:
        """A checkpoint from which it is known, too, which names could not be looked up."""
        self._note_directory()
        noted = Checkpoint(self._position.to_json()) if self._position.closed else checkpoint
        self._safe = noted.cursor
        return noted

    def _note_directory(self) -> None:
        for name in self._directory.asked:
            error, object_id = self._directory.closed.get(name, (None, ""))
            self._parts.add(BY_NAME[name], error, object_id)

    def _reopen_parts(self) -> None:
        """Begin anew where a part that was closed is open again."""
        unanswered, self._position.unanswered = self._position.unanswered, {}
        closed = dict(self._position.closed)
        for name, object_id in closed.items():
            if self._is_open(BY_NAME[name], object_id):
                del self._position.closed[name]
        if len(self._position.closed) < len(closed):
            self._position = ChannelCursor(closed=self._position.closed)
            self._is_whole = True
        for name, object_id in unanswered.items():
            self._ask_once_more(BY_NAME[name], object_id)

    def _is_open(self, part: Part, object_id: str) -> bool:
        if part in (PEOPLE, USER_GROUPS, BOTS):
            self._directory.asked.add(part.name)
            return self._directory.reopen(part, object_id) is None
        return self._parts.is_open(part, object_id, lambda: self._ask_again(part, object_id))

    def _ask_for_files(self) -> None:
        """Whether files are given, of a channel that was read as a whole and has none: a listing asks for them, too.
        There is nothing of them to be read later."""
        if self._is_whole and not self._parts.was_asked(FILES) and not self._parts.is_closed(HISTORY):
            self._ask_once_more(FILES, ANY_FILE)
            self._position.closed.pop(FILES.name, None)

    def _ask_once_more(self, part: Part, object_id: str) -> None:
        """Whether a part answers by now: one object's trouble closes it for no other."""
        try:
            self._ask_again(part, object_id)
        except (AuthenticationFailed, RateLimited):
            raise
        except TransientError:
            self._parts.suspect(part)
        except (PartClosed, SourceError) as error:
            logger.info("%s: %s", self._documents.name, error)

    def _ask_again(self, part: Part, object_id: str) -> None:
        if part is REPLIES:
            self._messages.ask_again(object_id)
        else:
            self._files.ask_again(object_id)

    def _states(self, *, after_history: Sequence[str], after_replies: Sequence[str]) -> Iterator[PartState]:
        """Of each part that was asked for; with the kinds of documents that are not told of where one is closed."""
        self._note_directory()
        untold = {HISTORY: after_history, REPLIES: after_replies, FILES: ("files",)}
        prefix = self._documents.prefix
        yield from self._parts.states(
            {part.name: tuple(f"{prefix}/{kind}/" for kind in kinds) for part, kinds in untold.items()}
        )
