"""Which files of a shard can be shared between the writer, the published copy and its readers, and which are copied."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Self

from pipelines.index.embedded.sparse_files import copy_data

_NEVER_REWRITTEN = (
    "data.bin",
    "flags_a.dat",
    "graph.bin",
    "id_tracker.e2i",
    "id_tracker.i2e",
    "indices_tracker.json",
    "inverted_index.dat",
    "links_compressed.bin",
    "page_*.dat",
    "point_to_values.bin",
    "tq_vectors.dat",
    "values_to_points.bin",
)
"""Files of a sealed segment that stay as they are: points that are changed or removed leave it by marks in others.

Those that the engine may add are copied, until they are known. A test compares these before and after every change.
"""
_WRITTEN_BY_WRITERS_ALONE = ("*.mmap", "page_*")


@dataclass(frozen=True, slots=True)
class SealedFiles:
    """Copies the files of a shard, and links what no process that has them changes. Copies all where links are
    impossible."""

    segments: frozenset[str]

    @classmethod
    def of(cls, shard: Path) -> Self:
        """Of a shard at rest."""
        return cls(frozenset(str(segment) for segment in (shard / "segments").glob("*") if _is_sealed(segment)))

    def copy(self, source: str, target: str) -> None:
        """While the writer goes on with the original."""
        _copy(source, target, link=self._stays(source))

    def copy_published(self, source: str, target: str) -> None:
        """Of which the original is written no more, but may be changed by whoever loads it."""
        link = self._stays(source) or _is_one_of(source, _WRITTEN_BY_WRITERS_ALONE)
        _copy(source, target, link=link)

    def _stays(self, source: str) -> bool:
        if not _is_one_of(source, _NEVER_REWRITTEN):
            return False
        return any(source.startswith(f"{segment}{os.sep}") for segment in self.segments)


def _is_sealed(segment: Path) -> bool:
    """Whether all of its vectors are kept in files that are mapped as a whole."""
    try:
        config = json.loads((segment / "segment.json").read_text(encoding="utf-8"))["config"]
    except FileNotFoundError:  # one that is being made or removed
        return False
    return all(vectors["storage_type"] == "Mmap" for vectors in config["vector_data"].values())


def _is_one_of(path: str, patterns: tuple[str, ...]) -> bool:
    name = Path(path).name
    return any(fnmatch(name, pattern) for pattern in patterns)


def _copy(source: str, target: str, *, link: bool) -> None:
    if link:
        with suppress(OSError):
            os.link(source, target)
            return
    copy_data(source, target)
