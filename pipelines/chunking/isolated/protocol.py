"""What goes over the pipes between a process and its child that reads documents.

Requests are pickled, since the child may trust its parent. Answers are lines of JSON: a file that takes the child over
must not be able to run anything in the parent.
"""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from typing import Any, BinaryIO, NamedTuple

from connectors.model import Document
from pipelines.child_process import LogLine
from pipelines.chunking.model import NO_SCANS, Chunk, ChunkedContent, Scans

READY = b"ready\n"
LONGEST_ANSWER = 200_000_000
"""Bytes."""


class Task(NamedTuple):
    """A document to be chunked, with what an API has read on some of its pages; or else pages to `extract` from it."""

    document: Document
    scans: Scans = NO_SCANS
    extract: tuple[int, ...] = ()


class Answer(NamedTuple):
    """What became of a document: its `content` or the extracted `pages`, each in Base64, or the `error` for which there
    is none. `out_of_memory` is an error that leaves the child unfit."""

    content: ChunkedContent | None = None
    pages: tuple[str, ...] = ()
    error: str | None = None
    skip: bool = False
    out_of_memory: bool = False
    logs: tuple[LogLine, ...] = ()


def encode_request(task: Task) -> tuple[bytes, bytes]:
    """The two parts of a request: what is small, and the content as it is, which is not copied."""
    is_text = isinstance(task.document.content, str)
    described = pickle.dumps((task._replace(document=replace(task.document, content="")), is_text))
    content = task.document.content_bytes
    return f"{len(described)} {len(content)}\n".encode() + described, content


def read_request(pipe: BinaryIO) -> Task | None:
    """The next task; None once the pipe is closed."""
    if not (line := pipe.readline()):
        return None
    described, content = (pipe.read(int(length)) for length in line.split())
    task: Task
    task, is_text = pickle.loads(described)
    return task._replace(document=replace(task.document, content=content.decode() if is_text else content))


def encode_answer(answer: Answer) -> bytes:
    values: dict[str, Any] = answer._asdict()
    if answer.content:
        content = answer.content
        chunks = [[one.headings, one.text, one.occurrence, one.page] for one in content.chunks]
        head = content.chunks[0].header if content.chunks else ""
        values["content"] = {"header": head, "chunks": chunks, "pictures": content.pictures, "reasons": content.reasons}
    return json.dumps(values).encode() + b"\n"


def parse_answer(line: bytes, document_id: str) -> Answer:
    """The inverse of `encode_answer`. Raises ValueError, KeyError or TypeError for what is none."""
    values = json.loads(line)
    found = values["content"]
    content = found and ChunkedContent(
        tuple(
            Chunk(document_id, position, tuple(headings), text, found["header"], occurrence, page)
            for position, (headings, text, occurrence, page) in enumerate(found["chunks"])
        ),
        tuple(found["pictures"]),
        tuple(found["reasons"]),
    )
    logs = tuple((int(level), str(name), str(message)) for level, name, message in values["logs"])
    return Answer(
        content, tuple(values["pages"]), values["error"], bool(values["skip"]), bool(values["out_of_memory"]), logs
    )
