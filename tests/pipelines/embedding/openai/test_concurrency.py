"""Requests side by side."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines.embedding.openai.concurrency import run_concurrently
from pipelines.errors import EmbeddingUnavailable


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.mark.parametrize("count", [0, 1, 3, 10])
def test_every_request_is_answered_once(pool: ThreadPoolExecutor, count: int) -> None:
    assert sorted(run_concurrently(pool, lambda number: number * 2, range(count), 3)) == [
        2 * number for number in range(count)
    ]


def test_as_many_requests_run_at_once_as_asked_for(pool: ThreadPoolExecutor) -> None:
    together = threading.Barrier(3, timeout=10)
    assert len(list(run_concurrently(pool, lambda _: together.wait(), range(6), 3))) == 6


def test_no_more_is_sent_than_the_taker_is_behind(pool: ThreadPoolExecutor) -> None:
    taken: list[int] = []

    def requests() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    stream = run_concurrently(pool, lambda number: number, requests(), 2)
    next(stream)
    assert len(taken) <= 2 + 2  # the first two, and one more for each that had arrived


def test_answers_under_way_are_handed_over_before_an_error(pool: ThreadPoolExecutor) -> None:
    failed = threading.Event()
    sent: list[int] = []

    def send(number: int) -> int:
        sent.append(number)
        if number == 0:
            failed.set()
            raise EmbeddingUnavailable("out of order")
        failed.wait(10)
        return number

    received: list[int] = []
    with pytest.raises(EmbeddingUnavailable, match="out of order"):
        received.extend(run_concurrently(pool, send, range(100), 3))
    assert sorted([0, *received]) == sorted(sent)
    assert len(sent) < 10


def test_a_mistake_of_ours_is_raised_as_it_is(pool: ThreadPoolExecutor) -> None:
    with pytest.raises(ZeroDivisionError):
        list(run_concurrently(pool, lambda number: 1 // number, [0], 1))
