"""Whatever is sent to the API as it describes itself, or near it, the answer is described too and never a 500."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

AUTHORIZED = {"Authorization": "Bearer people-key"}


@pytest.mark.parametrize("examples", [5, pytest.param(40, marks=pytest.mark.slow)])
def test_no_request_ends_in_a_defect(client: TestClient, examples: int) -> None:
    described = schemathesis.openapi.from_asgi("/openapi.json", client.app)
    for operation in described.get_all_operations():
        _try(operation.ok(), examples)


def _try(operation: Any, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def tried(case: Any) -> None:
        response = case.call(headers=AUTHORIZED)
        assert response.status_code != 500, response.text
        if response.status_code >= 400:
            assert "application/problem+json" in response.headers["content-type"]

    tried()


HUGE = 1_000_000
DEEP = '{"query": "a", "filters": ' + '{"type": "and", "filters": [' * 3_000 + "]}" * 3_000 + "}"
PATHS = ("/v1/search", "/v1/vector_stores/people/search", "/mcp")


@pytest.mark.each_value
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "content",
    [
        b'{"query": "' + b"x" * HUGE + b'"}',
        b'{"query": "\xff\xfe"}',
        b'{"query": "\\ud800"}',
        b'{"query": "a\\u0000b"}',
        b'{"query": NaN}',
        b'{"query": "a", "filters": {"filters": {"filters": {}}}}',
        b'{"query": "a", "filters": {"type": "and", "filters": [{"type": "and", "filters": []}]}}',
        b'{"query": "a", "top_k": 1e400}',
        b'{"query": "a", "surprise": true}',
        b"[" * 100_000,
        DEEP.encode(),
        b"{",
        b"",
    ],
    ids=lambda content: f"{len(content)} bytes {content[:60].decode(errors='replace')}",
)
def test_monstrous_bodies_are_refused_clearly(client: TestClient, path: str, content: bytes) -> None:
    headers = AUTHORIZED | {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    answer = client.post(path, headers=headers, content=content)
    assert answer.status_code in (400, 413, 422), answer.text
    assert len(answer.json().get("detail") or answer.json()["error"]["message"]) > 3


@pytest.mark.parametrize("document_id", ["%ff", "%00", "a" * 3_000, "..%2f..%2fetc", "%ed%a0%80", "💧"])
def test_monstrous_ids_do_not_exist(client: TestClient, document_id: str) -> None:
    answer = client.get(f"/v1/documents/{document_id}", params={"user": "ada@example.com"}, headers=AUTHORIZED)
    assert answer.status_code in (404, 422)
