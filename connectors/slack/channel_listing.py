"""What a channel has now: days and threads by its history, files by Slack's listing of files."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress

from connectors.contract import ListingEntry
from connectors.errors import REFUSALS, SourceError, TransientError
from connectors.slack.channel_messages import ChannelMessages
from connectors.slack.channel_parts import ANY_FILE, ChannelParts, PartClosed
from connectors.slack.documents import ChannelDocuments
from connectors.slack.files import ChannelFiles
from connectors.slack.part_table import FILES
from connectors.slack.timestamps import day_of

logger = logging.getLogger(__name__)


class ChannelListing:
    """Names the objects of one channel, but for those of parts that are closed."""

    def __init__(
        self, messages: ChannelMessages, documents: ChannelDocuments, files: ChannelFiles, parts: ChannelParts
    ) -> None:
        self._messages = messages
        self._documents = documents
        self._files = files
        self._parts = parts

    def entries(self) -> Iterator[ListingEntry]:
        """Raises SourceError where the trouble is not of a part alone."""
        with suppress(PartClosed):
            yield from self._days_and_threads()
        yield from self._list_files()

    def _days_and_threads(self) -> Iterator[ListingEntry]:
        """Every day that the history names, and every thread where those can be read, newest first."""
        for messages in self._messages.days():
            if entry := self._documents.day_entry(day_of(messages[0].ts), messages):
                yield entry
            roots = [message for message in messages if message.is_root]
            if roots and self._messages.gives_threads(roots[0].ts):
                yield from map(self._documents.thread_entry, roots)

    def _list_files(self) -> Iterator[ListingEntry]:
        """That they are listed does not tell whether they are given: one of them does."""
        first = ""
        try:
            for entry in self._files.list_entries():
                first = first or entry.document_id.rpartition("/")[2]
                yield entry
            self._ask_for_one(first)
        except TransientError as error:
            with suppress(PartClosed):
                self._parts.close(FILES, error, ANY_FILE)
        except REFUSALS as error:
            logger.warning("%s: files are not listed: %s", self._documents.name, error)
            yield from self._list_given_files(error)

    def _ask_for_one(self, file_id: str) -> None:
        if not file_id:
            self._parts.add(FILES, None, "")
        elif not self._parts.was_asked(FILES):
            self._parts.is_open(FILES, file_id, lambda: self._files.look(file_id))

    def _list_given_files(self, error: SourceError) -> Iterator[ListingEntry]:
        """Where there is no list of files, and yet they are given: as messages and replies name them."""
        if self._parts.is_open(FILES, ANY_FILE, lambda: self._files.ask_again(ANY_FILE)):
            try:
                yield from self._files_of_messages()
            except PartClosed:
                self._parts.add(FILES, error, ANY_FILE)

    def _files_of_messages(self) -> Iterator[ListingEntry]:
        """Takes a request for each thread."""
        for messages in self._messages.days():
            for message in messages:
                if message.is_root:
                    yield from self._files.entries_of(self._messages.thread(message.ts))
                elif not message.is_reply:
                    yield from self._files.entries_of([message])
