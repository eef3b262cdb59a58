"""Documents that are read in processes of their own: ended where they take too much, replaced where they die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest

from connectors.model import HTML
from pipelines.chunking import chunk_document
from pipelines.chunking.isolated import ChunkerPool, is_isolated, limits, process
from pipelines.errors import DocumentError, HeadraceError, ReadingAborted
from tests.paths import ROOT
from tests.pipelines.chunking import files
from tests.pipelines.chunking.files import MakeDocument

LARGE_TEXT = "\n\n".join(f"Paragraph {number} of a long text." for number in range(4_000))

SLOW = "<p>word</p>" * 30_000
"""Takes a reader long enough to be looked at more than once."""


@pytest.fixture
def pool() -> Iterator[ChunkerPool]:
    opened = ChunkerPool()
    yield opened
    opened.close()


def children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "pipelines.chunking.isolated.child" in one.cmdline()]


def until(is_so: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.02)
    return is_so()


@pytest.mark.parametrize(
    ("content", "content_type", "isolated"),
    [
        ("small", "text/markdown", False),
        ("small", "text/html; charset=utf-8", False),
        ("{}", "application/json", False),
        (LARGE_TEXT, "text/markdown", True),
        (b"small", "text/rtf", True),
        (b"%PDF", files.PDF, True),
        (b"PK", files.DOCX, True),
        (b"From: a", files.MAIL, True),
        (b"?", "", True),
    ],
)
def test_small_texts_alone_are_read_where_they_are(
    content: str | bytes, content_type: str, isolated: bool, document: MakeDocument
) -> None:
    assert is_isolated(document(content, content_type)) is isolated


def test_a_child_reads_as_its_parent_would_and_stays_warm(pool: ChunkerPool, document: MakeDocument) -> None:
    for content, content_type in ((LARGE_TEXT, "text/markdown"), (files.pdf("one", "zwei ß"), files.PDF)):
        one = document(content, content_type, title="Grüße")
        assert list(pool.chunk(one).chunks) == chunk_document(one)
    assert len(children()) == 1


def test_errors_come_back_as_they_are(pool: ChunkerPool, document: MakeDocument) -> None:
    for data in (files.pdf("secret", encrypted=True), b"%PDF-1.4 nothing follows"):
        with pytest.raises(DocumentError) as expected:
            chunk_document(document(data, files.PDF))
        with pytest.raises(DocumentError) as caught:
            pool.chunk(document(data, files.PDF))
        assert (caught.value.reason, caught.value.skip) == (expected.value.reason, expected.value.skip)


@pytest.mark.parametrize(("limit", "value"), [("SECONDS", 0.0), ("ELAPSED_SECONDS", 0.0), ("MEGABYTES", 1)])
def test_what_takes_too_much_is_ended_with_its_figures(
    limit: str, value: float, pool: ChunkerPool, document: MakeDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.chunk(document(files.pdf("warm"), files.PDF))
    (warm,) = children()
    with monkeypatch.context() as strict:
        strict.setattr(process, limit, value)
        with pytest.raises(ReadingAborted, match=r"too expensive: .* s of processor time, with \d+ MB of memory"):
            pool.chunk(document(SLOW, HTML))
    assert until(lambda: not warm.is_running())
    assert pool.chunk(document(files.pdf("after"), files.PDF)).chunks[0].text == "after"


def test_a_busy_machine_ends_no_file_that_uses_little() -> None:
    share_of_a_processor = 1 / 6
    assert limits.ELAPSED_SECONDS * share_of_a_processor >= limits.SECONDS


def test_a_child_that_stands_still_is_ended(
    pool: ChunkerPool, document: MakeDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.chunk(document(files.pdf("warm"), files.PDF))
    (child,) = children()
    child.suspend()
    monkeypatch.setattr(process, "IDLE_SECONDS", 0.1)
    with pytest.raises(ReadingAborted, match=r"too expensive: .* 0\.0 s of processor time"):
        pool.chunk(document(files.pdf("never"), files.PDF))
    assert until(lambda: not child.is_running())


def test_what_takes_too_much_takes_it_once_in_a_minute(
    pool: ChunkerPool, document: MakeDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = document(SLOW, HTML)
    with monkeypatch.context() as strict:
        strict.setattr(process, "MEGABYTES", 1)
        with pytest.raises(ReadingAborted) as first:
            pool.chunk(slow)
    with pytest.raises(ReadingAborted) as second:
        pool.chunk(slow)
    assert second.value.reason == first.value.reason
    monkeypatch.setattr("pipelines.chunking.isolated.pool._SECONDS_REMEMBERED", 0.0)
    assert pool.chunk(slow).chunks


def test_a_child_that_is_killed_is_replaced(pool: ChunkerPool, document: MakeDocument) -> None:
    pool.chunk(document(files.pdf("before"), files.PDF))
    (child,) = children()
    child.kill()
    assert pool.chunk(document(files.pdf("after"), files.PDF)).chunks[0].text == "after"


@pytest.mark.parametrize("killed", [1, 2])
def test_a_child_that_is_killed_while_it_starts_costs_no_document(
    pool: ChunkerPool, document: MakeDocument, monkeypatch: pytest.MonkeyPatch, killed: int
) -> None:
    popen, started = subprocess.Popen, []

    def start(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(popen(*arguments, **options))
        if len(started) <= killed:
            started[-1].kill()
        return started[-1]

    monkeypatch.setattr("pipelines.child_start.subprocess.Popen", start)
    if killed == 1:
        assert pool.chunk(document(files.pdf("after"), files.PDF)).chunks[0].text == "after"
    else:
        with pytest.raises(HeadraceError, match=r"does not start \(signal 9\)"):
            pool.chunk(document(files.pdf("never"), files.PDF))


def test_a_document_that_ends_every_child_is_given_up(
    pool: ChunkerPool, document: MakeDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = process.ChunkerProcess._start

    def start_and_die(self: process.ChunkerProcess) -> None:
        started(self)
        self._usage.kill()

    monkeypatch.setattr(process.ChunkerProcess, "_start", start_and_die)
    with pytest.raises(ReadingAborted, match=r"reading it ends the process that does \(signal 9\)"):
        pool.chunk(document(files.pdf("never"), files.PDF))


def test_a_child_that_has_grown_is_replaced(
    pool: ChunkerPool, document: MakeDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "WARM_MEGABYTES", 1)
    pool.chunk(document(files.pdf("one"), files.PDF))
    assert children() == []


def test_two_documents_are_read_at_once(pool: ChunkerPool, document: MakeDocument) -> None:
    pool.chunk(document(files.pdf("warm"), files.PDF))
    (first,) = children()
    first.suspend()  # as a document would that takes its time
    try:
        with ThreadPoolExecutor(1) as beside:
            slow = beside.submit(pool.chunk, document(files.pdf("slow"), files.PDF))
            assert until(lambda: not pool._idle)
            assert pool.chunk(document(files.pdf("quick"), files.PDF)).chunks[0].text == "quick"
            first.resume()
            assert slow.result().chunks[0].text == "slow"
    finally:
        first.resume()


def test_a_child_knows_no_secret(pool: ChunkerPool, document: MakeDocument, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    pool.chunk(document(files.pdf("one"), files.PDF))
    (child,) = children()
    assert "GITHUB_TOKEN" not in child.environ()
    assert "PYTHONPATH" in child.environ()


_PARENT = """
import os, sys, time
from connectors.model import HTML, Document
from pipelines.chunking.isolated import ChunkerPool
from tests.pipelines.chunking import files
def document(content):
    return Document(id="d", source="d", connection="c", unit="u", kind="k", title="t", url="", content=content,
                    content_type=files.PDF)
pool = ChunkerPool()
pool.chunk(document(files.pdf("warm")))
print(pool._idle[0]._child.pid, flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_ends_with_its_parent(ending: signal.Signals) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(ending)
        parent.wait()
    assert until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
