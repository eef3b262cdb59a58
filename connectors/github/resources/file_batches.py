"""Contents of many files, and the commits that changed them last, in one request of GitHub's GraphQL API.

By REST each file takes two requests. https://docs.github.com/en/graphql/reference/objects#blob
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from connectors.errors import AuthenticationFailed, InvalidResponse, SourceError, Unavailable
from connectors.github.graphql import select_by_alias
from connectors.github.payloads.git import GitHubCommit
from connectors.github.payloads.graphql import FilesByAlias
from connectors.github.payloads.parsing import NotAsDocumented
from connectors.github.repository import Repository
from connectors.github.trees import GitFile

logger = logging.getLogger(__name__)

MOST_FILES = 50
"""Read at once: a history for each is one point of an hour's 5,000, and takes the server up to a tenth of a second, of
the ten seconds that it takes at most.
https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api"""
FEWEST_FILES = 5
"""Fewer take hardly fewer requests than by REST."""
MOST_BYTES = 2_000_000
"""Of the contents of one answer."""

_REPOSITORY = "repository(owner: $owner, name: $name)"
_BLOB = "... on Blob { byteSize isTruncated text }"
_HISTORY = "nodes { committedDate author { name user { login } } }"


@dataclass(frozen=True, slots=True)
class FileRead:
    """What a file holds, and the commit that changed it last."""

    content: bytes
    commit: GitHubCommit


@dataclass(slots=True)
class FileBatches:
    """Reads files in advance. What could not be read so is left to be read by itself: a file that is no text in UTF-8,
    and all where the server has no such API, or refuses it, or finds it too much."""

    repository: Repository
    _size: int = MOST_FILES
    _read: dict[str, FileRead] = field(default_factory=dict)

    def is_full(self, files: Sequence[GitFile]) -> bool:
        """Whether no more files go into one request."""
        return len(files) >= max(self._size, 1) or sum(file.size for file in files) >= MOST_BYTES

    def read(self, files: Sequence[GitFile]) -> Iterator[GitFile]:
        """These files, which have been read in advance then as far as that is possible."""
        self._read.clear()
        if len(files) >= FEWEST_FILES:
            self._read_ahead(files)
        yield from files

    def take(self, file: GitFile) -> FileRead | None:
        """What was read of a file in advance; told once."""
        return self._read.pop(file.path, None)

    def _read_ahead(self, files: Sequence[GitFile]) -> None:
        try:
            self._read = self._ask(files)
        except AuthenticationFailed:
            raise
        except (Unavailable, InvalidResponse, NotAsDocumented) as error:
            self._size //= 2
            logger.info("%s: %d files at once are too much: %s", self.repository.name, len(files), error)
        except SourceError as error:
            self._size = 0
            logger.info("%s: files are read one by one: %s", self.repository.name, error)

    def _ask(self, batch: Sequence[GitFile]) -> dict[str, FileRead]:
        owner, _, name = self.repository.name.partition("/")
        blobs = {f"b{at}": f"object(oid: {json.dumps(one.sha)}) {{ {_BLOB} }}" for at, one in enumerate(batch)}
        commits = {
            f"c{at}": f"history(first: 1, path: {json.dumps(one.path, ensure_ascii=False)}) {{ {_HISTORY} }}"
            for at, one in enumerate(batch)
        }
        text = (
            "query($owner: String!, $name: String!, $branch: String!) {\n"
            f"blobs: {_REPOSITORY} {{ {select_by_alias(blobs)} }}\n"
            f"branch: {_REPOSITORY} {{ head: object(expression: $branch) {{ "
            f"... on Commit {{ {select_by_alias(commits)} }} }} }} }}"
        )
        variables = {"owner": owner, "name": name, "branch": self.repository.documents.branch}
        answer = self.repository.client.query_promptly(FilesByAlias, text, **variables)
        return dict(_files(batch, answer))


def _files(batch: Sequence[GitFile], answer: FilesByAlias) -> Iterator[tuple[str, FileRead]]:
    for at, file in enumerate(batch):
        content, commit = answer.content(f"b{at}"), answer.commit(f"c{at}")
        if content is not None and commit is not None:
            yield file.path, FileRead(content, commit)
