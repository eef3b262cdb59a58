"""SQLAlchemy's compiled statements, kept for all databases of a process: each test opens some, Dagster one for
each event, and each would compile all its statements anew."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Dialect, Engine

_compiled: dict[tuple[Any, ...], Any] = {}


class _OfDialect:
    """What SQLAlchemy asks of an engine's cache; in the place of its dialect, a key names the kind of that."""

    def __init__(self, dialect: Dialect) -> None:
        self._kind = (type(dialect), dialect.paramstyle)

    def get(self, key: tuple[Any, ...]) -> Any:
        return _compiled.get((self._kind, *key[1:]))

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        _compiled[(self._kind, *key[1:])] = compiled


def keep_compiled_statements() -> None:
    """From here on, engines of one kind of database share what they have compiled."""
    setattr(Engine, "_compiled_cache", property(lambda engine: _OfDialect(engine.dialect), lambda *_: None))  # noqa: B010 - a property is not assigned to
