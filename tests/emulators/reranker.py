"""A loopback `/rerank` in the form of Cohere's and Jina's, which judges as it is told and as late as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.loopback import serve


@dataclass
class RerankServer:
    """`judge` gives a text its score; `asked` holds what it was asked."""

    judge: Callable[[str], float]
    latency_ms: float = 0
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: Request) -> JSONResponse:
        body = await request.json()
        self.asked.append(body)
        await asyncio.sleep(self.latency_ms / 1000)
        scores = [(self.judge(text), place) for place, text in enumerate(body["documents"])]
        results = [{"index": place, "relevance_score": score} for score, place in sorted(scores, reverse=True)]
        return JSONResponse({"results": results[: body["top_n"]]})


@contextmanager
def reranking(judge: Callable[[str], float]) -> Iterator[RerankServer]:
    server = RerankServer(judge)
    app = Starlette(routes=[Route("/rerank", server.answer, methods=["POST"])])
    with serve(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")) as url:
        server.url = url
        yield server
