"""Published copies of an embedded collection: how a writer hands over, and how readers keep what they use.

    index/knowledge.json                           the pointer: which version and which copy of it is live
    index/knowledge-0f3a…/writer.lock              held by the one writer of this version
    index/knowledge-0f3a…/spec.json                what the version was made for
    index/knowledge-0f3a…/shard/                   what the writer writes
    index/knowledge-0f3a…/unpublished              there while something was written and not published
    index/knowledge-0f3a…/published/<copy>/        what readers take over
    index/readers/<reader>/ and <reader>.lease     one reader's own view of a copy; the lease dies with its process

A copy is never written again. It shares with the writer the files of sealed segments that nothing rewrites. A reader
links these and other large files into a folder of its own and copies the rest, so that loading cannot touch the copy,
and the writer can remove the copy at any time.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

from filelock import FileLock, Timeout

from pipelines.atomic_files import write_json
from pipelines.disk_space import describe_full, is_full
from pipelines.errors import IndexStoreError, IndexUnavailable
from pipelines.index.embedded.sealed_files import SealedFiles
from pipelines.machine import this_boot

Stamp: TypeAlias = tuple[int, int, int]
"""Changes with every publication."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """The live version and copy, by the names of their folders.

    `boot` names the run of the operating system that made the copy. In a later one the copy may have been cut
    short by a loss of power, so the next `publish` replaces it even if nothing was written.
    """

    version: str
    copy: str
    boot: str


class Snapshots:
    """The published copies of one collection under `root`, the `index` folder of the state directory."""

    def __init__(self, root: Path, collection: str) -> None:
        self.root = root
        self.file = root / f"{collection}.json"

    def stamp(self) -> Stamp | None:
        """Tells publications apart without reading a file; None before the first one."""
        try:
            status = self.file.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def live(self) -> Pointer | None:
        try:
            return Pointer(**json.loads(self.file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def folder(self, pointer: Pointer) -> Path:
        return self.root / pointer.version / "published" / pointer.copy

    def publish(self, version: str, shard: Path) -> Pointer:
        """Copy a shard at rest, make the copy live, and remove the version's earlier ones."""
        pointer = Pointer(version, uuid4().hex, this_boot())
        folder = self.folder(pointer)
        copy_tree(shard, folder)
        write_json(self.file, asdict(pointer))
        for other in folder.parent.iterdir():
            if other != folder:
                shutil.rmtree(other)
        remove_abandoned(self.root)
        return pointer

    @contextmanager
    def open_copy(self) -> Iterator[tuple[Pointer, Path] | None]:
        """The live copy in a folder of the reader's own, as long as the context lasts; None before the first one."""
        remove_abandoned(self.root)
        with _private_folder(self.root) as folder:
            yield self._copy_live(folder)

    def _copy_live(self, folder: Path) -> tuple[Pointer, Path] | None:
        """Copy the live copy into `folder`. A writer may remove it meanwhile, and moves the pointer first: a pointer
        that has not moved proves that all of it was copied."""
        while pointer := self.live():
            published, target = self.folder(pointer), folder / pointer.copy
            problem = None
            try:
                shutil.copytree(published, target, copy_function=SealedFiles.of(published).copy_published)
            except OSError as error:
                problem = error
            if self.live() == pointer:
                if problem:
                    if is_full(self.root):
                        raise IndexUnavailable(describe_full(self.root))
                    raise IndexStoreError(f"{self.folder(pointer)}: the published copy cannot be read: {problem}")
                return pointer, target
            shutil.rmtree(target, ignore_errors=True)
        return None


def copy_tree(source: Path, target: Path) -> None:
    """Copy a shard without its write-ahead log, whose lock would allow one process to load it; link what is sealed.

    Nothing is forced to disk: that takes ten times as long. See `Pointer.boot` for a loss of power.
    """
    shutil.copytree(source, target, copy_function=SealedFiles.of(source).copy, ignore=shutil.ignore_patterns("wal"))
    config = target / "edge_config.json"
    without_log = {**json.loads(config.read_text(encoding="utf-8")), "wal_enabled": False}
    config.write_text(json.dumps(without_log), encoding="utf-8")


def remove_other_versions(snapshots: Snapshots, version: str) -> None:
    """Remove the versions that are neither live nor this one, nor being written: an earlier model's, which would be
    made again from the landing."""
    live = snapshots.live()
    kept = {version, live.version if live else version}
    for spec in snapshots.root.glob(f"{snapshots.file.stem}-*/spec.json"):
        with suppress(Timeout):
            if spec.parent.name not in kept:
                with FileLock(spec.parent / "writer.lock", timeout=0):
                    shutil.rmtree(spec.parent)


def remove_abandoned(root: Path) -> None:
    """Remove the folders of readers whose process has died."""
    with suppress(Timeout), FileLock(root / "readers.lock", timeout=0):
        for lease in (root / "readers").glob("*.lease"):
            with suppress(Timeout), FileLock(lease, timeout=0):
                shutil.rmtree(lease.with_suffix(""), ignore_errors=True)
                lease.unlink()


@contextmanager
def _private_folder(root: Path) -> Iterator[Path]:
    """A folder that lasts as long as the context, or until another reader notices that this process died."""
    folder = root / "readers" / uuid4().hex
    lease = FileLock(folder.with_suffix(".lease"), thread_local=False)
    with FileLock(root / "readers.lock"):
        folder.mkdir(parents=True)
        lease.acquire()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        Path(lease.lock_file).unlink(missing_ok=True)
        lease.release()
