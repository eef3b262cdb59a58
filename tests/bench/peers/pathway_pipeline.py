"""Pathway: what was done before in files of its own, vectors in memory."""

from __future__ import annotations

import json
import logging
from typing import Any

import pathway as pw
from embeddings_client import embed
from langchain_text_splitters import RecursiveCharacterTextSplitter
from peer_arguments import CHUNK_CHARACTERS, peer_arguments

TEXTS_AT_ONCE = 128
ARGUMENTS = peer_arguments()

logging.disable(logging.WARNING)  # it tells of each step, a hundred lines a run

written = dict[Any, Any]()
splitter = RecursiveCharacterTextSplitter(chunk_size=CHUNK_CHARACTERS, chunk_overlap=0)  # as Pathway's own has it


@pw.udf(deterministic=True)
def split(text: str) -> list[str]:
    return splitter.split_text(text)


@pw.udf(deterministic=True, max_batch_size=TEXTS_AT_ONCE, cache_strategy=pw.udfs.DiskCache())
def vectors_of(texts: list[str]) -> list[Any]:
    return list(embed(ARGUMENTS.embeddings, texts))


def keep(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
    if is_addition:
        written[key] = row
    else:
        written.pop(key, None)


files = pw.io.fs.read(ARGUMENTS.corpus, format="plaintext_by_file", mode="static")
chunks = files.select(text=split(pw.this.data)).flatten(pw.this.text)
pw.io.subscribe(chunks.select(text=pw.this.text, vector=vectors_of(pw.this.text)), on_change=keep)
backend = pw.persistence.Backend.filesystem(ARGUMENTS.state)
pw.run(
    monitoring_level=pw.MonitoringLevel.NONE,
    persistence_config=pw.persistence.Config(backend),
    terminate_on_error=True,
)
print(json.dumps({"written": len(written)}))
