"""The embedding cache: no text is paid for twice, in whichever document or connection it occurs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Engine, bindparam, delete, func, or_, select, update

from pipelines.catalog import tables
from pipelines.catalog.embedding_models import EmbeddingModels
from pipelines.catalog.statements import in_parts, upsert

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_REMOVED_AT_ONCE = 1_000
"""A million vectors are gigabytes: nobody is to wait for that."""


class EmbeddingCache:
    """Vectors by (model, dimensions, exact text)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.models = EmbeddingModels(engine)

    def get(self, model: str, dimensions: int, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The cached ones among `texts`, each a vector of shape (dimensions,). Of those that an earlier release has
        stored it is known from now on by which model they were made."""
        import numpy as np

        keys, table = {_key(model, dimensions, text): text for text in texts}, tables.embeddings
        found: dict[str, NDArray[np.float32]] = {}
        of_before: list[bytes] = []
        with self._engine.connect() as transaction:
            for part in in_parts(keys):
                statement = select(table.c.key, table.c.vector, table.c.model).where(table.c.key.in_(part))
                for row in transaction.execute(statement):
                    found[keys[row.key]] = np.frombuffer(row.vector, dtype="<f4")
                    of_before += [row.key] if row.model is None else []
        if of_before:
            self._adopt(model, dimensions, {key: keys[key] for key in of_before})
        return found

    def _adopt(self, model: str, dimensions: int, texts: Mapping[bytes, str]) -> None:
        rows = [{"own": key, "of": _hash(text)} for key, text in texts.items()]
        own, by = tables.embeddings.c.key == bindparam("own"), self.models.mark_used(model, dimensions)
        with self._engine.begin() as transaction:
            transaction.execute(update(tables.embeddings).where(own).values(text=bindparam("of"), model=by), rows)

    def put(self, model: str, dimensions: int, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep the vectors of these texts."""
        by = self.models.mark_used(model, dimensions)
        rows = [
            {"key": _key(model, dimensions, text), "vector": vector.astype("<f4").tobytes()}
            | {"text": _hash(text), "model": by}
            for text, vector in vectors.items()
        ]
        with self._engine.begin() as transaction:
            upsert(transaction, tables.embeddings, rows)

    def count(self, texts: Iterable[str], model: str, dimensions: int) -> int:
        """How many vectors `remove` would remove."""
        with self._engine.connect() as transaction:
            counts = (select(func.count()).where(one) for one in _of_texts(texts, model, dimensions))
            return sum(transaction.execute(one).scalar_one() for one in counts)

    def remove(self, texts: Iterable[str], model: str, dimensions: int) -> int:
        """Forget the vectors of these texts, by whichever model; returns how many there were.

        Of a vector that an earlier release has stored only its key is known: it is found if it is by this model.
        """
        with self._engine.begin() as transaction:
            removals = (delete(tables.embeddings).where(one) for one in _of_texts(texts, model, dimensions))
            return sum(transaction.execute(one).rowcount for one in removals)

    def count_of(self, models: Collection[int]) -> int:
        """How many vectors are by these models."""
        with self._engine.connect() as transaction:
            own = tables.embeddings.c.model.in_(list(models))
            return transaction.execute(select(func.count()).where(own)).scalar_one()

    def remove_of(self, models: Collection[int]) -> int:
        """Forget some of the vectors by these models; returns how many, 0 where none is left."""
        table = tables.embeddings
        some = select(table.c.key).where(table.c.model.in_(list(models))).limit(_REMOVED_AT_ONCE)
        with self._engine.begin() as transaction:
            return transaction.execute(delete(table).where(table.c.key.in_(some))).rowcount


def _key(model: str, dimensions: int, text: str) -> bytes:
    return _hash(f"{model}\0{dimensions}\0{text}")


def _hash(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()


def _of_texts(texts: Iterable[str], model: str, dimensions: int) -> Iterator[ColumnElement[bool]]:
    table = tables.embeddings
    for part in in_parts(texts, 200):
        keys = [_key(model, dimensions, text) for text in part]
        yield or_(table.c.text.in_([_hash(text) for text in part]), table.c.key.in_(keys))
