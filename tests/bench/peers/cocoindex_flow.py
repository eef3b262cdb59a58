"""CocoIndex: what was done before in its own store (LMDB), vectors in memory."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import cocoindex as coco
import numpy as np
from cocoindex.connectors import localfs
from cocoindex.ops.text import RecursiveSplitter
from cocoindex.resources.file import FileLike
from embeddings_client import embed
from numpy.typing import NDArray
from peer_arguments import CHUNK_CHARACTERS, peer_arguments

TEXTS_AT_ONCE = 1_000
ARGUMENTS = peer_arguments()

written = dict[str, Any]()
splitter = RecursiveSplitter()


class MemoryTarget(coco.TargetHandler[Any, bytes]):
    """Vectors by id, in memory."""

    def __init__(self) -> None:
        self._sink = coco.TargetActionSink[Any].from_fn(self._apply)

    def _apply(self, _: Any, actions: Sequence[tuple[str, Any]]) -> None:
        for key, value in actions:
            if value is None:
                written.pop(key, None)
            else:
                written[key] = value

    def reconcile(
        self, key: Any, desired: Any, known: Collection[bytes], may_be_missing: bool, /
    ) -> coco.TargetReconcileOutput[Any, bytes] | None:
        if coco.is_non_existence(desired):
            return coco.TargetReconcileOutput(action=(key, None), sink=self._sink, tracking_record=coco.NON_EXISTENCE)
        fingerprint = hashlib.sha256(desired[0].encode()).digest()
        if not may_be_missing and all(one == fingerprint for one in known):
            return None
        return coco.TargetReconcileOutput(action=(key, desired), sink=self._sink, tracking_record=fingerprint)


target = coco.register_root_target_states_provider("bench/memory", MemoryTarget())


@coco.lifespan
def _settings(builder: coco.EnvironmentBuilder) -> Any:
    builder.settings.db_path = ARGUMENTS.state / "cocoindex.db"
    yield


@coco.fn.as_async(batching=True, max_batch_size=TEXTS_AT_ONCE, memo=True)
def vector_of(texts: list[str]) -> list[NDArray[np.float32]]:
    return embed(ARGUMENTS.embeddings, texts)


@coco.fn(memo=True)
async def process_file(file: FileLike[Path]) -> None:
    chunks = splitter.split(await file.read_text(), chunk_size=CHUNK_CHARACTERS, language="markdown")
    vectors = await asyncio.gather(*(vector_of(chunk.text) for chunk in chunks))
    for number, (chunk, vector) in enumerate(zip(chunks, vectors, strict=True)):
        key = f"{file.file_path.path}#{number}"
        coco.declare_target_state(target.target_state(key, (chunk.text, vector)))


@coco.fn
async def process_corpus(corpus: Path) -> None:
    await coco.mount_each(process_file, localfs.walk_dir(corpus, recursive=True).items())


coco.App("bench", process_corpus, ARGUMENTS.corpus).update_blocking()
print(json.dumps({"written": len(written)}))
