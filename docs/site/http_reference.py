"""The page of the HTTP interface, from what the server says of itself at `/openapi.json`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from docs.site.schemas import Described, Schema
from docs.site.tables import MADE, code, table
from pipelines.service.app import create_app
from pipelines.service.errors import ProblemDetails
from pipelines.services import Services
from pipelines.settings import Settings

Operation: TypeAlias = Mapping[str, Any]

_JSON = "application/json"
_INTRODUCTION = "A running server shows the same at `/docs`, and as OpenAPI at `/openapi.json`."
_PROBLEM = ProblemDetails.__name__
_LEFT_OUT = ("HTTPValidationError", "ValidationError")
"""FastAPI describes them; a server of ours answers with a problem."""


def http_page() -> str:
    """The page as Markdown. Opens an empty index in a folder of its own."""
    described = _openapi()
    definitions = {**described["components"]["schemas"], _PROBLEM: ProblemDetails.model_json_schema()}
    operations = [
        (f"{method.upper()} {path}", operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    parts = [MADE, "# HTTP API", described["info"]["description"].strip(), _INTRODUCTION]
    for name, operation in operations:
        parts += _operation(name, operation, definitions)
    return "\n\n".join([*parts, "## Models", *_models(definitions)]) + "\n"


def _openapi() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, Services(Settings(directory=Path(folder))) as services:
        app = create_app(
            services.settings,
            index=services.reader,
            embedder=services.embedder,
            reranker=None,
            memberships=services.catalog,
            assistants=services.catalog.assistants,
            inbox=services.catalog,
        )
        return app.openapi()


def _operation(name: str, operation: Operation, definitions: Mapping[str, Schema]) -> Iterator[str]:
    yield f"## {code(name)}"
    if text := operation.get("description"):
        yield text
    if parameters := operation.get("parameters"):
        yield table(("parameter", "in", "takes", "meaning"), (_parameter(one, definitions) for one in parameters))
    if body := operation.get("requestBody", {}).get("content", {}).get(_JSON):
        example = body.get("example")
        yield f"Takes {_link(body['schema'])}{', for example:' if example else '.'}"
        if example:
            yield f"```json\n{json.dumps(example, indent=2, ensure_ascii=False)}\n```"
    yield f"Answers {', '.join(_answers(operation))}."


def _parameter(one: Mapping[str, Any], definitions: Mapping[str, Schema]) -> tuple[str, str, str, str]:
    schema = Described({}, definitions).resolve(one["schema"])
    needed = " (needed)" if one.get("required") else ""
    meaning = one.get("description") or schema.get("description", "")
    return code(one["name"]), one["in"] + needed, Described({}, definitions).takes(schema), meaning


def _answers(operation: Operation) -> Iterator[str]:
    """What comes with each status; refusals are problems, all of them."""
    refusals = []
    for status, answer in operation["responses"].items():
        content = answer.get("content", {})
        if int(status) >= 400:
            refusals.append(status)
        else:
            yield f"{status} with {_link(content[_JSON]['schema'])}" if _JSON in content else status
    if refusals:
        yield f"or {', '.join(refusals)} with [{_PROBLEM}](#{_PROBLEM.lower()})"


def _link(schema: Schema) -> str:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return f"[{name}](#{name.lower()})" if name else "JSON"


def _models(definitions: Mapping[str, Schema]) -> Iterator[str]:
    for name, schema in sorted(definitions.items()):
        if schema.get("properties") and name not in _LEFT_OUT:
            yield f"### {name}"
            if text := schema.get("description"):
                yield text
            yield Described(schema, definitions, links=True).table()
