"""A model behind OpenAI's Responses API that looks something up and then repeats what it found.

https://platform.openai.com/docs/api-reference/responses/create · …/docs/guides/function-calling
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.loopback import serve

TOOL = "search"


@contextmanager
def serving() -> Iterator[str]:
    """Its base URL, as OpenAI's clients take it, while the context lasts."""
    app = Starlette(routes=[Route("/v1/responses", _respond, methods=["POST"])])
    with serve(uvicorn.Config(app, log_level="error", lifespan="off", ws="none")) as origin:
        yield f"{origin}/v1"


async def _respond(request: Request) -> JSONResponse:
    asked = await request.json()
    turns = asked["input"] if isinstance(asked["input"], list) else [{"role": "user", "content": asked["input"]}]
    found = [turn["output"] for turn in turns if turn.get("type") == "function_call_output"]
    output = _message(str(found[-1])) if found else _call(asked["tools"], str(turns[0]["content"]))
    usage = {
        "input_tokens": 1,
        "output_tokens": 1,
        "total_tokens": 2,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    answer = {"id": "resp_1", "object": "response", "created_at": 0, "status": "completed", "model": asked["model"]}
    settings = {"parallel_tool_calls": False, "tool_choice": "auto", "tools": asked["tools"]}
    return JSONResponse({**answer, **settings, "output": [output], "usage": usage})


def _call(tools: list[dict[str, Any]], question: str) -> dict[str, Any]:
    assert TOOL in [tool["name"] for tool in tools]
    arguments = f'{{"query": "{question}"}}'
    return {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": TOOL,
        "arguments": arguments,
        "status": "completed",
    }


def _message(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}
