"""How the API describes itself: https://spec.openapis.org/oas/v3.1.1, for people and for generators of clients."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from connectors.pushed_documents import PushedDocument
from pipelines.service.authentication import PERSON_HEADER
from pipelines.service.errors import describe_problems
from pipelines.service.mcp import PATH as MCP_PATH

DESCRIPTION = f"""Passages of a company's knowledge, fresh and permitted.

**Who asks.** Every request bears the key of an assistant. A key with `identity: user` acts for a person, who must be
named by e-mail address: as `user` in the request, or in the header `{PERSON_HEADER}`, which works on every interface.
Name the person from what your program knows (a signed-in session), never from what a model wrote. The key of one
person, and that of a service, take no name.

Where people sign in at the company's provider, an access token stands in the key's place (`{MCP_PATH}` leads clients to
it), and the page's session does on the page; both are their person's alone.

**OpenAI's clients** work with their `base_url` set to this server's `/v1`, and the id of the assistant as the vector
store: `client.vector_stores.search("my-assistant", query="…", extra_headers={{"{PERSON_HEADER}": "ada@example.com"}})`
(or `extra_body={{"user": …}}`, or `default_headers` of the client).

**MCP** (streamable HTTP) is at `{MCP_PATH}`, with tools to search, read and look around, the key as bearer token and
the person in the header `{PERSON_HEADER}`.

Errors are problem details (RFC 9457) that name the field that was wrong, and the id of the request.
"""

TAGS = [
    {"name": "search", "description": "Questions, documents, and the values that filters can have"},
    {
        "name": "documents",
        "description": "Documents of one's own, with the key of the connection that they are pushed to",
    },
    {"name": "openai", "description": "The same for OpenAI's own clients"},
    {"name": "webhooks", "description": "Deliveries of the sources"},
    {"name": "operations", "description": "Whether the service is well"},
]
OPEN: dict[str, Any] = {"security": []}
"""Of an operation that needs no key."""
PUSHED_DOCUMENT = PushedDocument.__name__
"""The name of its schema: the body is read by hand, once it is known whose it is."""
_METHODS = ("get", "post", "put", "delete")


class _DescribedApi(FastAPI):
    """Describes the problems that it answers in place of FastAPI's own."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            described = super().openapi()
            for operations in described["paths"].values():
                for method in _METHODS:
                    _drop_validation_error(operations.get(method, {}).get("responses", {}))
            describe_problems(described)
            described["components"]["schemas"][PUSHED_DOCUMENT] = PushedDocument.model_json_schema()
        return super().openapi()


def describe(public_url: str | None) -> FastAPI:
    """An application without operations, and all that is said of it."""
    return _DescribedApi(
        title="Headrace",
        description=DESCRIPTION,
        version="1",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        servers=[{"url": public_url or "/", "description": "This server"}],
        openapi_tags=TAGS,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )


def _operation_id(route: APIRoute) -> str:
    """What generated clients call it: the name of the function here."""
    return route.name


def _drop_validation_error(responses: dict[str, Any]) -> None:
    """FastAPI adds an answer of its own to each operation that tells none for wrong requests."""
    content = responses.get("422", {}).get("content", {})
    if "application/json" in content:
        del responses["422"]
