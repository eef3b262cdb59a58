"""Runs requests concurrently, and loses no answer that was paid for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from itertools import islice
from typing import TypeVar

from pipelines.errors import EmbeddingError
from pipelines.tracing import in_this_span

Request = TypeVar("Request")
Response = TypeVar("Response")


def run_concurrently(
    pool: Executor, send: Callable[[Request], Response], requests: Iterable[Request], at_once: int
) -> Iterator[Response]:
    """Answers in the order in which they arrive, with at most `at_once` requests under way.

    When one fails with an EmbeddingError, no further request is sent, the answers of those under way are
    still handed over, and then the error is raised.
    """

    def submit(request: Request) -> Future[Response]:
        return pool.submit(in_this_span(send), request)

    waiting = iter(requests)
    running: set[Future[Response]] = {submit(request) for request in islice(waiting, at_once)}
    failure: EmbeddingError | None = None
    try:
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            failure = failure or next((error for one in done if (error := _failure(one))), None)
            # Handed over, and so kept, before more is sent: a kill then costs no more than what is under way.
            yield from (one.result() for one in done if not _failure(one))
            if failure is None:
                running |= {submit(request) for request in islice(waiting, len(done))}
    finally:
        for one in running:
            one.cancel()
    if failure:
        raise failure


def _failure(future: Future[Response]) -> EmbeddingError | None:
    """Why a request failed. An error of another kind is a mistake of ours: it is raised by `result()`."""
    error = future.exception()
    return error if isinstance(error, EmbeddingError) else None
