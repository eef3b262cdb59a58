"""What the embedded index adds to the contract: one writer, published copies, readers in several processes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import IndexBusy, IndexMismatch, IndexStoreError
from pipelines.index import contract, open_reader
from pipelines.index.contract import DocumentChange, Filters, IndexReader, IndexStore, Mode, Point, spec_metadata
from pipelines.index.embedded import layout
from pipelines.index.embedded.reader import EdgeReader
from pipelines.index.embedded.snapshots import Pointer, Snapshots, remove_abandoned
from pipelines.index.embedded.sparse_files import copy_data
from pipelines.index.filters import document_conditions
from tests.paths import ROOT
from tests.pipelines.index.conftest import Configured

if TYPE_CHECKING:
    from qdrant_edge import ScrollRequest

EVERYTHING = Filters(readers=None)
NORTH = [1.0, 0.0, 0.0, 0.0]


@pytest.fixture(scope="module")
def whole_layout() -> bool:
    """Most tests here are of writers, copies and readers, whatever a shard is made of."""
    return False


def with_all_indexes(patched: pytest.MonkeyPatch) -> None:
    """Shards that are opened from here on get all their payload indexes."""
    for fields in ("KEYWORD_FIELDS", "TIME_FIELDS", "NUMBER_FIELDS"):
        patched.setattr(layout, fields, getattr(contract, fields))


def point(document: str, text: str, version: int = 0, readers: tuple[str, ...] = ("public",)) -> Point:
    return Point(
        str(uuid5(UUID(int=0), f"{document}\0{text}")),
        NORTH,
        text,
        {
            "document_id": document,
            "version": f"{version:06}",
            "position": 0,
            "text": text,
            "readers": list(readers),
            "updated_at": None,
        },
    )


def version_of(document: str, version: int, chunks: int = 4) -> DocumentChange:
    """A document whose every chunk changes with each version."""
    points = [point(document, f"chunk {n} of {version}", version) for n in range(chunks)]
    stale = [point(document, f"chunk {n} of {version - 1}").id for n in range(chunks)]
    return DocumentChange(document, points, stale=stale)


def versions(reader: IndexReader, document: str = "a") -> set[str]:
    return {hit.payload["version"] for hit in reader.document(document, EVERYTHING)}


def index_folder(edge: Configured) -> Path:
    return Path(edge.settings.state_path / "index")


def copies(edge: Configured) -> list[Path]:
    return sorted(index_folder(edge).glob("knowledge-*/published/*"))


def content(folder: Path) -> dict[str, str]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_a_second_writer_is_refused_and_harms_nothing(edge: Configured) -> None:
    with closing(edge.store()) as store:
        store.apply([version_of("a", 1)])
        with pytest.raises(IndexBusy, match=r"writer\.lock: another process"):
            edge.store()
        store.apply([version_of("b", 1)])
        store.publish()
    with closing(edge.store()) as store:
        assert store.info().documents == 2


def test_a_writer_waits_for_another_one(edge: Configured) -> None:
    from pipelines.index import open_store

    first = edge.store()
    opened: list[IndexStore] = []
    waiting = threading.Thread(target=lambda: opened.append(open_store(edge.settings, edge.spec)))
    waiting.start()
    first.close()
    waiting.join()
    opened[0].close()


def test_a_version_folder_made_for_another_spec_is_refused(edge: Configured) -> None:
    edge.store().close()
    (file,) = index_folder(edge).glob("knowledge-*/spec.json")
    file.write_text(json.dumps({**spec_metadata(edge.spec), "model": "other"}))
    with pytest.raises(IndexMismatch, match="made with model 'other'"):
        edge.store()


def test_a_store_that_was_half_made_is_made_again(edge: Configured) -> None:
    edge.store().close()
    (shard,) = index_folder(edge).glob("knowledge-*/shard")
    shard.rename(shard.with_name("shard.new"))
    with closing(edge.store()) as store:
        store.apply([version_of("a", 1)])
        assert store.info().points == 4


def test_a_broken_shard_is_named(edge: Configured) -> None:
    edge.store().close()
    (config,) = index_folder(edge).glob("knowledge-*/shard/edge_config.json")
    config.write_text("{")
    with pytest.raises(IndexStoreError, match="knowledge-"):
        edge.store()


def test_publishing_without_a_change_costs_nothing(edge: Configured) -> None:
    with closing(edge.store()) as store:
        store.apply([version_of("a", 1)])
        store.publish()
        before = copies(edge)
        store.publish()
        store.apply([])
        store.publish()
    with closing(edge.store()) as store:
        store.publish()
    assert copies(edge) == before


def test_after_a_restart_of_the_machine_the_copy_is_made_anew(
    edge: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(edge.store()) as store:
        store.publish()
        before = copies(edge)
        monkeypatch.setattr("pipelines.index.embedded.store.this_boot", lambda: "later")
        store.publish()
        assert copies(edge) != before


def test_a_lost_copy_is_named_and_made_anew(edge: Configured) -> None:
    with closing(edge.store()) as store, closing(edge.reader()) as reader:
        store.apply([version_of("a", 1)])
        store.publish()
        shutil.rmtree(copies(edge)[0])
        with pytest.raises(IndexStoreError, match="published copy cannot be read"):
            versions(reader)
        store.publish()
        assert versions(reader) == {"000001"}


def test_what_a_dead_writer_left_unpublished_is_published_by_the_next(edge: Configured) -> None:
    with closing(edge.store()) as store:
        store.publish()
        store.apply([version_of("a", 1)])
    with closing(edge.reader()) as reader:
        assert reader.info().points == 0
        with closing(edge.store()) as store:
            store.publish()
        assert reader.info().points == 4


def test_one_copy_stays_and_readers_leave_nothing(edge: Configured) -> None:
    with closing(edge.store()) as store, closing(edge.reader()) as reader:
        for version in range(1, 4):
            store.apply([version_of("a", version)])
            store.publish()
            assert versions(reader) == {f"{version:06}"}
            assert len(copies(edge)) == 1
            assert len(list((index_folder(edge) / "readers").glob("*/"))) == 1
    assert list((index_folder(edge) / "readers").iterdir()) == []


def test_readers_leave_a_copy_as_it_was(edge: Configured) -> None:
    """They link its large files, so whatever the engine does on loading must not reach those."""
    with closing(edge.store()) as store:
        for version in range(1, 6):
            store.apply([version_of(f"d{n}", version) for n in range(20)])
        store.publish()
    (copy,) = copies(edge)
    before = content(copy)
    with closing(edge.reader()) as first, closing(edge.reader()) as second:
        for reader in (first, second):
            assert len(reader.search(mode="hybrid", text="chunk", dense=NORTH, filters=EVERYTHING, limit=90)) == 80
    assert content(copy) == before


def test_an_open_question_survives_the_next_publication(edge: Configured) -> None:
    with closing(edge.store()) as store, closing(edge.reader()) as reader:
        store.apply([version_of("a", 1)])
        store.publish()
        assert isinstance(reader, EdgeReader)
        with reader._live_view() as view:
            assert view
            store.apply([version_of("a", 2)])
            store.publish()
            assert versions(reader) == {"000002"}
            records, _ = view.reader.shard.scroll(_all())
            assert {record.payload["version"] for record in records if record.payload} == {"000001"}
        assert versions(reader) == {"000002"}


def _all() -> ScrollRequest:
    from qdrant_edge import ScrollRequest

    return ScrollRequest(limit=10, with_payload=True)


def test_readers_always_see_one_whole_version(edge: Configured) -> None:
    """Threads ask while a writer rewrites two documents, and publishes at every state in between."""
    stop = threading.Event()
    wrong: list[Any] = []

    def ask() -> None:
        with closing(edge.reader(edge.spec)) as reader:
            last = {"a": "", "b": ""}
            while not stop.wait(0.005):  # to ask all the time would slow down the writer, and show no other states
                hits = reader.search(mode="hybrid", text="chunk", dense=NORTH, filters=EVERYTHING, limit=50)
                for document in ("a", "b"):
                    seen = [hit.payload["version"] for hit in hits if hit.payload["document_id"] == document]
                    if len(seen) != 4 or len(set(seen)) != 1:
                        wrong.append((document, seen))
                    elif seen[0] < last[document]:
                        wrong.append((document, "went back", last[document], seen[0]))
                    else:
                        last[document] = seen[0]

    with closing(edge.store()) as store:
        store.apply([version_of("a", 1), version_of("b", 1)])
        store.publish()
        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for version in range(2, 5):
            store.apply([version_of("a", version), version_of("b", version)])
            store.publish()
            for document in ("a", "b"):  # half-written, as after a kill
                store.apply([DocumentChange(document, version_of(document, version + 1).points)])
                store.publish()
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []


READ = """
import json, sys
from pathlib import Path
from pipelines.index import open_reader
from pipelines.index.contract import Filters
from pipelines.settings import Settings

reader = open_reader(Settings(directory=Path(sys.argv[1])))
for line in sys.stdin:
    hits = reader.search(mode="lexical", text=line, dense=None, filters=Filters(readers=None), limit=50)
    print(json.dumps(sorted({hit.payload["version"] for hit in hits})), flush=True)
reader.close()
"""

WRITE = """
import sys
from pathlib import Path
from pipelines.index import open_store
from pipelines.index.contract import DocumentChange, IndexSpec, Point
from pipelines.settings import Settings
from uuid import UUID, uuid5

spec = IndexSpec(collection="knowledge", model="tiny", dimensions=4, chunking="v1")
store = open_store(Settings(directory=Path(sys.argv[1])), spec)
number = int(sys.argv[2])
while True:
    name = f"d{number}"
    ids = [str(uuid5(UUID(int=0), f"{name}-{n}")) for n in range(3)]
    payload = {"document_id": name, "version": "1", "position": 0, "text": "x" * 700, "readers": ["public"]}
    store.apply([DocumentChange(name, [Point(id, [1.0, 0.0, 0.0, 0.0], f"text {name}", payload) for id in ids])])
    store.apply([DocumentChange(name, stale=ids[2:])])
    print(number, flush=True)
    number += 1
"""


SEALING = """
from pipelines.index.embedded import layout, store
layout.FIRST_SEALED_POINTS, layout.SEALED_POINTS, store.POINTS_PER_LOOK = 5, 5, 10
"""
"""So that a segment is sealed again and again."""


def started(program: str, directory: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, str(directory), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def asked(process: subprocess.Popen[str], question: str) -> list[str]:
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{question}\n")
    process.stdin.flush()
    answer: list[str] = json.loads(process.stdout.readline())
    return answer


@pytest.mark.slow
def test_several_processes_read_while_one_writes(edge: Configured) -> None:
    processes = [started(READ, edge.settings.directory) for _ in range(2)]
    with closing(edge.store()) as store:
        assert [asked(process, "chunk") for process in processes] == [[], []]
        for version in range(1, 4):
            store.apply([version_of("a", version)])
            store.publish()
            assert [asked(process, "chunk") for process in processes] == [[f"{version:06}"]] * 2
    killed, left = processes
    killed.kill()
    killed.communicate()
    assert len(list((index_folder(edge) / "readers").glob("*.lease"))) == 2
    remove_abandoned(index_folder(edge))
    assert len(list((index_folder(edge) / "readers").glob("*"))) == 2  # the living one's lease and folder
    left.communicate()
    assert left.returncode == 0
    assert list((index_folder(edge) / "readers").iterdir()) == []


@pytest.mark.parametrize(("program", "stops"), [(WRITE, (3, 20)), (SEALING + WRITE, (15, 40, 70, 90))])
def test_kill_9_loses_nothing_acknowledged(edge: Configured, program: str, stops: tuple[int, ...]) -> None:
    acknowledged = -1
    for last in stops:
        process = started(program, edge.settings.directory, str(acknowledged + 1))
        assert process.stdout
        while acknowledged < last:
            acknowledged = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        rest, _ = process.communicate()
        acknowledged = int(rest.split()[-1]) if rest.split() and rest.endswith("\n") else acknowledged
        with closing(edge.store()) as store:
            points = [payload["document_id"] for _, payload in store.scan()]
            assert {f"d{n}" for n in range(acknowledged + 1)} <= set(points)
            assert all(points.count(f"d{n}") == 2 for n in range(acknowledged + 1))


def test_a_killed_publication_leaves_the_last_one(edge: Configured, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(edge.store()) as store, closing(edge.reader()) as reader:
        store.apply([version_of("a", 1)])
        store.publish()
        store.apply([version_of("a", 2)])
        with monkeypatch.context() as killed:
            killed.setattr("pipelines.index.embedded.snapshots.copy_tree", _half_copied)
            with pytest.raises(KeyboardInterrupt):
                store.publish()
        assert versions(reader) == {"000001"}
        store.publish()
        assert versions(reader) == {"000002"}
        assert len(copies(edge)) == 1


def test_of_what_was_removed_no_byte_is_left(edge: Configured, monkeypatch: pytest.MonkeyPatch) -> None:
    with_all_indexes(monkeypatch)
    kept, removed = (point(name, f"{name} walrus", readers=("public",)) for name in ("kept", "removed"))
    questions: list[dict[str, Any]] = [{"mode": "lexical", "dense": None}, {"mode": "dense", "dense": NORTH}]
    with closing(edge.store()) as store, closing(edge.reader()) as reader:
        store.apply([DocumentChange("kept", [kept]), DocumentChange("removed", [removed])])
        store.publish()
        store.remove(document_conditions(["removed"]))
        store.publish()
        before = [reader.search(text="walrus", filters=EVERYTHING, limit=5, **asked) for asked in questions]
        assert holding(index_folder(edge), b"removed walrus")
        store.erase_removed()
        store.publish()
        assert [reader.search(text="walrus", filters=EVERYTHING, limit=5, **asked) for asked in questions] == before
        assert holding(index_folder(edge), b"removed walrus") == []
        store.apply([DocumentChange("kept", [point("kept", "kept lynx")])])
        assert len(store.points(["kept"])) == 2


def holding(folder: Path, text: bytes) -> list[str]:
    return [file.name for file in folder.rglob("*") if file.is_file() and text in file.read_bytes()]


@pytest.mark.parametrize("killed_at", ["shutil.rmtree", "pathlib.Path.rename"])
def test_killed_while_a_shard_is_written_anew_it_has_all_its_points(
    edge: Configured, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    with closing(edge.store()) as store:
        store.apply([version_of("a", 1), version_of("b", 1)])
        store.remove(document_conditions(["b"]))
        with monkeypatch.context() as killed:
            killed.setattr(killed_at, kill)
            with pytest.raises(KeyboardInterrupt):
                store.erase_removed()
    with closing(edge.store()) as store, closing(edge.reader()) as reader:
        store.publish()
        assert (versions(reader), versions(reader, "b")) == ({"000001"}, set())


def kill(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_versions_that_nobody_reads_go_with_what_was_removed(edge: Configured) -> None:
    other = replace(edge.spec, model="before")
    with closing(edge.store(other, replace=True)) as store:
        store.apply([version_of("a", 1)])
    assert holding(index_folder(edge), b"chunk 1 of 1")
    with closing(edge.store()) as store:
        store.publish()
        store.erase_removed()
    assert holding(index_folder(edge), b"chunk 1 of 1") == []


def _half_copied(source: Path, target: Path) -> None:
    (target / "segments").mkdir(parents=True)
    raise KeyboardInterrupt


def test_where_files_cannot_be_linked_they_are_copied(edge: Configured, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refused)
    with closing(edge.store()) as store, closing(edge.reader()) as reader:
        store.apply([version_of("a", 1)])
        store.publish()
        assert versions(reader) == {"000001"}


def test_a_copy_that_vanishes_while_it_is_taken_is_left_for_the_next(
    edge: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    publications = Snapshots(index_folder(edge), "knowledge")
    with closing(edge.store()) as store, closing(edge.reader()) as reader:
        store.apply([version_of("a", 1)])
        store.publish()
        live = Snapshots.live
        moved: list[None] = []

        def moving(self: Snapshots) -> Pointer | None:
            pointer = live(self)
            if not moved:
                moved.append(None)
                store.apply([version_of("a", 2)])
                store.publish()
            return pointer

        monkeypatch.setattr(Snapshots, "live", moving)
        assert versions(reader) == {"000002"}
    assert moved
    assert publications.stamp() is not None


@pytest.mark.parametrize("layout", [[], [b""], [b"data"], [1 << 20, b"data"], [b"data", 1 << 20], [1 << 20]])
def test_copies_keep_data_and_holes(tmp_path: Path, layout: list[bytes | int]) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    with source.open("wb") as file:
        for part in layout:
            if isinstance(part, int):
                file.seek(part, os.SEEK_CUR)
                file.truncate()
            else:
                file.write(part)
    copy_data(str(source), str(target))
    assert target.read_bytes() == source.read_bytes()
    assert target.stat().st_blocks <= source.stat().st_blocks


Corpus = tuple[IndexReader, dict[str, set[str]]]

TOKENS = ("public", "user:ines", "user:omar", "group:c:1", "group:c:2")


@pytest.fixture(scope="module")
def corpus(module_folder: Callable[[str], Path]) -> Iterator[Corpus]:
    """64 documents with every combination of five tokens but one more token each, published."""
    from pipelines.index import open_store
    from pipelines.index.contract import IndexSpec
    from pipelines.settings import Settings

    where = Settings(directory=module_folder("corpus"))
    spec = IndexSpec(collection="knowledge", model="tiny", dimensions=4, chunking="v1")
    readers = {f"d{n}": {token for bit, token in enumerate(TOKENS) if n >> bit & 1} for n in range(32)}
    with pytest.MonkeyPatch.context() as patched:
        with_all_indexes(patched)
        with closing(open_store(where, spec)) as store:
            store.apply(
                DocumentChange(name, [point(name, "water", readers=tuple(sorted(tokens)))])
                for name, tokens in readers.items()
            )
            store.publish()
    with closing(open_reader(where, spec)) as reader:
        yield reader, readers


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tokens=st.none() | st.lists(st.sampled_from((*TOKENS, "user:nobody", "group:c")), unique=True).map(tuple),
    mode=st.sampled_from(["hybrid", "dense", "lexical"]),
    limit=st.integers(1, 40),
)
def test_readers_filter_agrees_with_brute_force(
    corpus: Corpus, tokens: tuple[str, ...] | None, mode: Mode, limit: int
) -> None:
    reader, readers = corpus
    hits = reader.search(mode=mode, text="water", dense=NORTH, filters=Filters(readers=tokens), limit=limit)
    allowed = {name for name, theirs in readers.items() if tokens is None or theirs & set(tokens)}
    names = {hit.payload["document_id"] for hit in hits}
    assert names <= allowed
    assert len(hits) == len(names) == min(limit, len(allowed))


def test_a_writer_sees_that_another_one_waits_and_is_waited_for_in_turn(edge: Configured) -> None:
    from pipelines.index import open_store

    turns = []
    first = edge.store()
    assert not first.is_contended()

    def second() -> None:
        with closing(open_store(edge.settings, edge.spec)):
            turns.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    while not first.is_contended():
        pass
    first.close()
    with closing(open_store(edge.settings, edge.spec)) as again:
        turns.append("first")
        assert not again.is_contended()
    thread.join()
    assert turns == ["second", "first"]
