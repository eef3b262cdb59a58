"""All files of a branch, through its tree. https://docs.github.com/en/rest/git/trees#get-a-tree"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from connectors.github.payloads.git import GitTree, GitTreeEntry

ReadTree: TypeAlias = Callable[[str, bool], GitTree]
"""Asks for a tree by its ref or SHA: with everything below it, or its own level alone."""


@dataclass(frozen=True, slots=True)
class GitFile:
    """A file in a tree. `mode` is git's: 120000 for a symbolic link. `size` is in bytes."""

    path: str
    sha: str
    mode: str
    size: int


@dataclass(frozen=True, slots=True)
class FileTree:
    """`etag` is the server's name for this state of the tree, where it gives one."""

    etag: str | None
    files: tuple[GitFile, ...]


def walk(ref: str, tree: GitTree, read: ReadTree, prefix: str = "") -> Iterator[GitFile]:
    """Files of a tree that was read with all that is below it; one too large for that is walked level by level."""
    entries = read(ref, False).tree if tree.truncated else tree.tree
    for entry in entries:
        path = f"{prefix}{entry.path}"
        if entry.type == "blob":
            yield _file_of(entry, path)
        elif tree.truncated and entry.type == "tree":
            yield from walk(entry.sha, read(entry.sha, True), read, f"{path}/")


def shown_files(tree: GitTree) -> list[GitFile]:
    """Files that a tree shows which was read with all that is below it: some of them, of one too large for that."""
    return [_file_of(entry, entry.path) for entry in tree.tree if entry.type == "blob"]


def _file_of(entry: GitTreeEntry, path: str) -> GitFile:
    return GitFile(path, entry.sha, entry.mode, entry.size or 0)
