"""The page of all settings."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from connectors.registry import sources
from connectors.settings import Connection
from docs.site.schemas import Described, Schema
from docs.site.tables import MADE, code
from pipelines.settings import Settings

_INTRODUCTION = """\
Settings stand in `headrace.yaml` in the working directory, or in the file that `HEADRACE_CONFIG` names. `${NAME}` is
taken from the environment or from `.env` beside that file, and `${NAME:-default}` has a default. Relative paths start
at the folder of the file. A key that is not listed here is an error, and so is a variable that is not set: both are
named with their path, as `connections[1].token`. [The example](../../headrace.example.yaml) has the usual ones, with
comments."""
_APART = ("connections",)
"""Described by source."""
_FROM_THE_FILE = "directory"
"""Where the file stands: nobody writes it."""


def settings_page() -> str:
    """The page as Markdown."""
    described = Described.of(Settings.model_json_schema())
    parts = [
        MADE,
        "# Settings",
        _INTRODUCTION,
        "## At the top",
        described.table(skip=(_FROM_THE_FILE,)),
        *_sections(described),
        *_connections(),
    ]
    return "\n\n".join(parts) + "\n"


def _sections(described: Described, above: str = "") -> Iterator[str]:
    """Of each setting that holds others; one that takes one of several models has a section for each."""
    for name, field in described.fields():
        if name in (*_APART, _FROM_THE_FILE):
            continue
        models = list(_models(described, field))
        for model in models:
            path = f"{above}{name}"
            kind = model["properties"].get("provider", {}).get("const") if len(models) > 1 else None
            yield f"## {code(path)}" + (f" with `provider: {kind}`" if kind else "")
            inner = Described(model, described.definitions)
            if text := _prose(model):
                yield text
            yield inner.table()
            yield from _sections(inner, f"{path}[]." if field.get("type") == "array" else f"{path}.")


def _models(described: Described, field: Schema) -> Iterator[Schema]:
    """The models of which a setting, or each entry of its list, is one."""
    entry = described.resolve(field.get("items", {})) if field.get("type") == "array" else field
    for one in entry.get("oneOf", [entry]):
        found = described.resolve(one)
        if found.get("properties"):
            yield found


def _connections() -> Iterator[str]:
    yield "## `connections`"
    yield "One entry for each account of a source. What all sources take:"
    common = Described.of(Connection.model_json_schema())
    yield common.table()
    meanings = {name: _prose(field) for name, field in common.fields()}
    shared = meanings.keys() - {"token", "base_url"}
    for source in sources().values():
        yield f"### {source.label}"
        yield f"With `source: {source.name}`:"
        yield Described.of(source.settings.model_json_schema()).table(shared, meanings)
    yield from _sections(common, "connections[].")


def _prose(model: Schema) -> str:
    return inspect.cleandoc(str(model.get("description", "")))
