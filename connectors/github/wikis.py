"""A wiki as its newest commit has it, through git: its files by their names, and what is in them."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dulwich.objects import Blob, Commit, ShaFile, Tree

from connectors.contract import ID_PATH
from connectors.errors import AnswerTooLarge, InvalidResponse, SourceError
from connectors.github.git_host import GitHost
from connectors.github.git_protocol import Advertisement
from connectors.github.trees import GitFile
from connectors.webhooks import is_storable

MOST_ENTRIES = 100_000
"""Files and folders that are listed. A few folders, each ten times in the next, would make billions."""

_NO_NAMES = frozenset({"", ".", "..", ".git"})
"""Git itself takes no file or folder of such a name."""


class TooManyFiles(SourceError):
    def __init__(self, where: str) -> None:
        super().__init__(f"{where}: the wiki has more than {MOST_ENTRIES:,} files")


@dataclass(frozen=True, slots=True)
class WikiSnapshot:
    """`contents` are those that came along, by SHA; `committed_at` is of the newest commit."""

    files: Mapping[str, GitFile] = field(default_factory=dict)
    contents: Mapping[str, bytes] = field(default_factory=dict)
    committed_at: datetime | None = None


class Wiki:
    """Every method may raise SourceError."""

    def __init__(self, host: GitHost, repository: str) -> None:
        self._host = host
        self.name = f"{repository}.wiki"

    def advertised(self) -> Advertisement:
        return self._host.advertised(self.name)

    def snapshot(self, advertised: Advertisement) -> WikiSnapshot:
        """Of a wiki without a commit, that it is empty. Raises TooManyFiles."""
        if not advertised.head:
            return WikiSnapshot()
        return _snapshot(self.name, advertised.head, self._host.head(self.name, advertised))

    def contents(self, shas: Sequence[str]) -> dict[str, bytes | None]:
        """Of files, by SHA; None for one that is too large for any answer. What the server does not give is missing."""
        try:
            found = self._host.objects(self.name, shas)
        except AnswerTooLarge:
            half = len(shas) // 2
            return {**self.contents(shas[:half]), **self.contents(shas[half:])} if half else {shas[0]: None}
        return {sha: one.data for sha, one in found.items() if isinstance(one, Blob)}


def _snapshot(name: str, head: str, objects: Mapping[str, ShaFile]) -> WikiSnapshot:
    commit = objects.get(head)
    try:
        if not isinstance(commit, Commit):
            raise InvalidResponse(name, "the commit that was asked for is not in the answer")
        files = {file.path: file for file in _walk(name, commit.tree.decode(), objects)}
        return WikiSnapshot(files, _contents(objects), _time(commit.commit_time))
    except ValueError as error:  # dulwich's own among them
        raise InvalidResponse(name, f"not as git has it: {error}") from error


def _walk(name: str, root: str, objects: Mapping[str, ShaFile]) -> Iterator[GitFile]:
    """Files, in folders too. What lies in no folder that a name can tell is passed over, as are other repositories."""
    waiting, count = [("", root)], 0
    while waiting:
        prefix, sha = waiting.pop()
        tree = objects.get(sha)
        if not isinstance(tree, Tree):
            raise InvalidResponse(name, f"the folder {prefix or '/'} is not in the answer")
        for entry in tree.iteritems():
            if (count := count + 1) > MOST_ENTRIES:
                raise TooManyFiles(name)
            inside = entry.path.decode("utf-8", "backslashreplace")
            path, found = f"{prefix}{inside}", entry.sha.decode()
            if inside in _NO_NAMES or "/" in inside or not (ID_PATH.fullmatch(path) and is_storable(path)):
                continue
            if stat.S_ISDIR(entry.mode):
                waiting.append((f"{path}/", found))
            elif stat.S_ISREG(entry.mode) or stat.S_ISLNK(entry.mode):
                yield GitFile(path, found, f"{entry.mode:06o}", 0)


def _contents(objects: Mapping[str, ShaFile]) -> dict[str, bytes]:
    return {sha: one.data for sha, one in objects.items() if isinstance(one, Blob)}


def _time(seconds: int) -> datetime | None:
    """None for a time that is in no calendar: whoever commits writes what they like."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OSError, OverflowError, ValueError):
        return None
