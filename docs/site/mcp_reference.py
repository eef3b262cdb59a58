"""The page of the MCP tools, from the tools themselves."""

from __future__ import annotations

from collections.abc import Iterator

from docs.site.schemas import Described
from docs.site.tables import MADE, code
from pipelines.service.mcp import PATH
from pipelines.service.mcp.endpoint import instructions
from pipelines.service.mcp.tools import TOOLS, ServedTool

_INTRODUCTION = f"""\
The Model Context Protocol is served at `{PATH}` (streamable HTTP, without sessions).
[Assistants](../assistants/README.md) says how each client is connected. Every answer is there twice, as structured
content and as JSON in one text."""


def mcp_page() -> str:
    """The page as Markdown."""
    introduced = f"The server introduces itself to a model with:\n\n> {instructions()}"
    sections = (part for name, tool in TOOLS.items() for part in _section(name, tool))
    return "\n\n".join([MADE, "# MCP tools", _INTRODUCTION, introduced, *sections]) + "\n"


def _section(name: str, tool: ServedTool) -> Iterator[str]:
    yield f"## {code(name)}"
    yield tool.description
    yield "Takes:"
    yield from _model(Described.of(tool.takes.model_json_schema()))
    yield "Gives:"
    yield from _model(Described.of(tool.gives.model_json_schema()))


def _model(described: Described) -> Iterator[str]:
    """Its properties, and those of the models that it holds."""
    yield described.table()
    for name, inner in described.definitions.items():
        if inner.get("properties"):
            yield f"where {code(name)} has:"
            yield Described(inner, described.definitions).table()
