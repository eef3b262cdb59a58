"""Whose pages may ask, and what is refused by its head."""

from __future__ import annotations

import json

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.datastructures import Headers

from pipelines.service import errors, request_guard
from pipelines.service.request_guard import ANY_HOST, BrowserHosts

PUBLIC = BrowserHosts.of("https://headrace.acme.com", "0.0.0.0")
LOOPBACK = BrowserHosts.of(None, "127.0.0.1")
ANY = BrowserHosts.of(None, "0.0.0.0")
TABLE: list[tuple[BrowserHosts, dict[str, str], int | None]] = [
    (PUBLIC, {"host": "headrace.acme.com"}, None),
    (PUBLIC, {"host": "HEADRACE.acme.com", "origin": "https://Headrace.acme.com"}, None),
    (PUBLIC, {"host": "127.0.0.1:8800", "origin": "https://headrace.acme.com"}, None),
    (PUBLIC, {"host": "localhost:8800"}, None),
    (PUBLIC, {"host": "[::1]:8800"}, None),
    (PUBLIC, {"host": "headrace.acme.com.evil.example"}, 421),
    (PUBLIC, {"host": "evil.example:8800", "origin": "http://evil.example:8800"}, 421),
    (PUBLIC, {"host": "localhost.evil.example"}, 421),
    (PUBLIC, {"host": "127.0.0.1.evil.example"}, 421),
    (PUBLIC, {"host": "[::1"}, 421),
    (PUBLIC, {"host": "headrace.acme.com", "origin": "https://evil.example"}, 403),
    (PUBLIC, {"host": "headrace.acme.com", "origin": "null"}, 403),
    (PUBLIC, {"host": "headrace.acme.com", "origin": "https://headrace.acme.com.evil.example"}, 403),
    (PUBLIC, {"host": "headrace.acme.com", "origin": "http://["}, 403),
    (LOOPBACK, {"host": "127.0.0.1:8800", "origin": "http://127.0.0.1:8800"}, None),
    (LOOPBACK, {"host": "localhost:8800", "origin": "http://localhost:6274"}, None),
    (LOOPBACK, {"host": "localhost:8800", "origin": "http://localhost:6274", "cookie": "session=1"}, 403),
    (LOOPBACK, {"host": "evil.example:8800", "origin": "http://evil.example:8800"}, 421),
    (LOOPBACK, {"host": "evil.example:8800"}, 421),
    (ANY, {"host": "headrace.internal:8800", "origin": "http://headrace.internal:8800"}, None),
    (ANY, {"host": "headrace.internal:8800"}, None),
    (ANY, {"host": "headrace.internal:8800", "origin": "https://evil.example"}, 403),
    (ANY, {"host": "headrace.internal:8800", "origin": "null"}, 403),
    (ANY, {"host": "", "origin": "null"}, 403),
]


@pytest.mark.parametrize(("hosts", "headers", "status"), TABLE)
def test_which_names_and_pages_are_answered(hosts: BrowserHosts, headers: dict[str, str], status: int | None) -> None:
    problem = hosts.refuse(Headers(headers))
    assert (problem.status if problem else None) == status


def guarded(hosts: BrowserHosts) -> TestClient:
    app = FastAPI()
    errors.install(app)
    request_guard.install(app, hosts)
    for path in ("/", "/docs", "/mcp", "/v1/search", "/healthz", "/webhooks/acme"):
        app.get(path)(lambda: "answered")
    return TestClient(app, base_url="http://evil.example:8800")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 421),
        ("/docs", {}, 421),
        ("/mcp", {}, 421),
        ("/v1/search", {"Cookie": "session=1"}, 421),
        ("/v1/search", {}, 200),
        ("/healthz", {}, 200),
        ("/webhooks/acme", {}, 200),
    ],
)
def test_names_count_where_a_browser_may_be_misused(path: str, headers: dict[str, str], status: int) -> None:
    """Programs with a key may come by any name, and so may load balancers and sources."""
    assert guarded(PUBLIC).get(path, headers=headers).status_code == status


@pytest.mark.parametrize("path", ["/v1/search", "/mcp", "/webhooks/acme"])
@pytest.mark.parametrize("name", ["Authorization", "X-Headrace-User"])
def test_who_asks_is_said_once(path: str, name: str) -> None:
    answer = guarded(ANY_HOST).get(path, headers=[(name, "one"), (name.lower(), "one")])
    assert (answer.status_code, answer.json()["detail"]) == (400, f"Send the header {name} once.")


@pytest.mark.parametrize(("size", "status"), [(60_000, 200), (70_000, 431)])
@pytest.mark.parametrize("place", ["one field", "many fields", "query and a field"])
def test_a_head_has_an_end(size: int, status: int, place: str) -> None:
    half = "a" * (size // 2)
    fields = {"one field": [("x", "a" * size)], "many fields": [("x", "")] * (size // 5)}.get(place, [("x", half)])
    query = half if place == "query and a field" else ""
    answer = guarded(ANY_HOST).get(f"/healthz?{query}", headers=fields)
    assert (answer.status_code, "x-request-id" in answer.headers) == (status, True)


@pytest.mark.parametrize("length", ["-1", "9" * 400, "1e3", "٣", "262145"])
def test_a_length_that_is_none_is_too_large(length: str) -> None:
    answer = guarded(ANY_HOST).get("/v1/search", headers=[(b"Content-Length", length.encode())])
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")


def test_a_refused_path_does_not_lengthen_the_audit_log(caplog: pytest.LogCaptureFixture) -> None:
    headers = {"host": "localhost:8800", "origin": "https://evil.example", "cookie": "session=1"}
    with caplog.at_level("INFO", logger="headrace.audit"):
        assert guarded(ANY).get(f"/{'a' * 20_000}", headers=headers).status_code == 403
    (line,) = [json.loads(record.getMessage()) for record in caplog.records if record.name == "headrace.audit"]
    assert (line["event"], line["interface"]) == ("refusal", "a" * 64)
