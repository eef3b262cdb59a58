"""Processes that read the published index answer as a reader in this process does, and are replaced when they die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pipelines.errors import IndexMismatch, IndexUnavailable
from pipelines.index import open_reader
from pipelines.index.contract import Filters, IndexReader
from pipelines.index.embedded import reading_pool, reading_process
from tests.pipelines.index.conftest import Configured, changes_of

EVERYTHING = Filters(readers=None)
WORDS = {"a": "the water wheel turns", "b": "the wheel stands still", "c": "a mill race"}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_process, "IDLE_SECONDS", 1)


@pytest.fixture
def pool(edge: Configured) -> Iterator[IndexReader]:
    with closing(edge.store()) as store:
        store.apply(changes_of(WORDS))
        store.publish()
    with closing(open_reader(edge.settings, edge.spec, processes=2)) as reader:
        yield reader


def children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "reading_child" in " ".join(one.cmdline())]


def found(reader: IndexReader, text: str) -> list[tuple[str, tuple[float, float, float]]]:
    vector = [0.5, 0.5, 0.5, 0.5]
    hits = reader.search(mode="hybrid", text=text, dense=vector, filters=EVERYTHING, limit=10)
    return [(hit.payload["document_id"], (hit.score, hit.dense, hit.lexical)) for hit in hits]


def test_answers_are_those_of_a_reader_in_this_process(pool: IndexReader, edge: Configured) -> None:
    with closing(edge.reader()) as alone:
        assert found(pool, "wheel") == found(alone, "wheel") != []
        assert pool.document("c", EVERYTHING) == alone.document("c", EVERYTHING) != []
        assert pool.count_documents("document_id", EVERYTHING) == dict.fromkeys(WORDS, 1)
        assert pool.newest(EVERYTHING, 2) == alone.newest(EVERYTHING, 2)
        assert pool.beginnings(EVERYTHING, 3) == alone.beginnings(EVERYTHING, 3) != []
        assert (pool.count_points(), pool.info()) == (3, alone.info())


def test_nothing_is_left_of_what_they_read_once_they_are_closed(pool: IndexReader, edge: Configured) -> None:
    views = edge.settings.state_path / "index" / "readers"
    assert pool.count_points() == 3
    assert len([one for one in views.iterdir() if one.is_dir()]) == 1
    pool.close()
    assert [one for one in views.iterdir() if one.suffix != ".lock"] == []
    assert children() == []


def test_every_process_sees_what_was_published_last(pool: IndexReader, edge: Configured) -> None:
    with ThreadPoolExecutor(4) as askers:
        assert len(list(askers.map(lambda _: found(pool, "wheel"), range(8)))) == 8
        with closing(edge.store()) as store:
            store.apply(changes_of({"d": "a wheel of stone"}))
            store.publish()
        for answer in askers.map(lambda _: found(pool, "stone"), range(16)):
            assert "d" in dict(answer)


def test_processes_that_are_killed_are_replaced_and_the_question_is_answered(pool: IndexReader) -> None:
    assert found(pool, "wheel")
    killed = children()
    for child in killed:
        child.kill()
    with ThreadPoolExecutor(4) as askers:
        assert all(askers.map(lambda _: found(pool, "wheel"), range(8)))
    assert not {child.pid for child in killed} & {child.pid for child in children()}


def test_as_many_are_started_as_questions_come_at_once_and_no_more(pool: IndexReader) -> None:
    assert found(pool, "wheel")
    assert len(children()) == 1
    with ThreadPoolExecutor(6) as askers:
        assert all(askers.map(lambda _: found(pool, "wheel"), range(60)))
    assert len(children()) == 2


def test_a_question_that_ends_processes_is_refused_and_the_next_one_answered(
    pool: IndexReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(reading_process, "_command", lambda _: [sys.executable, "-c", "raise SystemExit(7)"])
        for child in children():
            child.kill()
        with pytest.raises(IndexUnavailable, match="exit code 7"):
            pool.count_points()
    assert pool.count_points() == 3


def stop(process: psutil.Process) -> None:
    """Make it hang, as a disk does that answers no more."""
    process.suspend()
    while process.status() != psutil.STATUS_STOPPED:
        time.sleep(0.01)


@pytest.mark.one_case
@pytest.mark.parametrize("documents", [(), tuple(f"document {number:060}" for number in range(6_000))])
def test_a_process_that_hangs_is_replaced_and_the_question_is_answered(
    impatient: None, pool: IndexReader, documents: tuple[str, ...]
) -> None:
    """Also where it hangs before it has taken the question, which is more than fits the pipe."""
    assert found(pool, "wheel")
    (hanging,) = children()
    stop(hanging)
    with ThreadPoolExecutor(4) as askers:
        asked = Filters(readers=None, documents=("a", *documents))
        assert set(askers.map(lambda _: len(pool.beginnings(asked, 10)), range(4))) == {1}
    assert not hanging.is_running()


def test_a_question_for_which_every_process_hangs_is_refused_in_time(
    impatient: None, pool: IndexReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(reading_process, "_command", lambda _: [sys.executable, "-c", "import time; time.sleep(600)"])
        for child in children():
            child.kill()
        started = time.monotonic()
        with pytest.raises(IndexUnavailable, match="did nothing for 1 s"):
            pool.count_points()
        assert time.monotonic() - started < 10
    assert pool.count_points() == 3


def test_a_question_that_takes_too_long_is_refused_and_its_process_replaced(
    impatient: None, pool: IndexReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as busy:
        busy.setattr(reading_process, "SECONDS_TO_OPEN", 0.5)
        busy.setattr(reading_process, "_command", lambda _: [sys.executable, "-c", "while True: pass"])
        for child in children():
            child.kill()
        with pytest.raises(IndexUnavailable, match="has not answered a question"):
            pool.count_points()
    assert pool.count_points() == 3


def test_nobody_waits_for_long_for_processes_that_are_at_work(
    impatient: None, pool: IndexReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor(2) as askers:
        assert all(askers.map(lambda _: found(pool, "wheel"), range(20)))
        for child in children():
            stop(child)
        monkeypatch.setattr(reading_pool, "_SECONDS_IN_LINE", 0.2)
        both = [askers.submit(pool.count_points) for _ in range(len(children()))]
        time.sleep(0.2)
        with pytest.raises(IndexUnavailable, match="were at work"):
            pool.count_points()
        assert [one.result() for one in both] == [3, 3]


def test_an_index_made_for_another_model_is_refused(pool: IndexReader, edge: Configured) -> None:
    other = replace(edge.spec, model="another")
    with pytest.raises(IndexMismatch):
        open_reader(edge.settings, other, processes=1)
    with closing(open_reader(edge.settings, edge.spec, processes=1)) as reader:
        with closing(edge.store(other, replace=True)) as store:
            store.publish()
        with pytest.raises(IndexMismatch):
            reader.count_points()


SERVING = """
import sys, time
from pathlib import Path
from pipelines.index import open_reader
from pipelines.settings import Settings
reader = open_reader(Settings(directory=Path(sys.argv[1])), processes=2)
print(reader.count_points(), flush=True)
time.sleep(600)
"""


def test_they_end_with_the_process_that_they_work_for(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SERVING, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"0\n"
        left = psutil.Process(parent.pid).children()
        assert len(left) == 1
        os.kill(parent.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in left):
        assert time.monotonic() < deadline
        time.sleep(0.02)
