"""Wrong keys are slowed by their address, and all others by who asks."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import httpx
import openai
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from starlette.requests import Request

from pipelines.service import throttling
from pipelines.service.throttling import _network
from pipelines.service_settings import LimitsSettings
from pipelines.services import Services
from tests.pipelines.service.conftest import ADA
from tests.pipelines.service.serving import app_of, served


def ask(url: str, key: str) -> httpx.Response:
    return httpx.post(
        f"{url}/v1/search", json={"query": "pump", "user": ADA}, headers={"Authorization": f"Bearer {key}"}, timeout=30
    )


def test_wrong_keys_are_slowed_and_right_ones_are_not(
    services: Services, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(throttling, "FREE_TRIES", 3)
    monkeypatch.setattr(throttling, "SLOWED_SECONDS", 0.3)
    with served(app_of(services)) as url, caplog.at_level("INFO", logger="headrace.audit"):
        assert {ask(url, f"wrong-{number}").status_code for number in range(3)} == {401}
        started = time.monotonic()
        assert ask(url, "wrong-4").status_code == 401
        assert time.monotonic() - started >= 0.3
        assert ask(url, "people-key").status_code == 200
    assert '"event": "slowed"' in caplog.text
    assert "wrong-4" not in caplog.text


def test_who_tries_many_keys_at_once_is_refused_unheard(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "FREE_TRIES", 0)
    monkeypatch.setattr(throttling, "MOST_AT_ONCE", 2)
    with served(app_of(services)) as url, ThreadPoolExecutor(8) as pool:
        assert ask(url, "people-key").status_code == 200
        for number in range(8):  # where no key is asked for, none is right
            httpx.get(f"{url}/healthz", headers={"Authorization": f"Bearer wrong-{number}"})
        tried = [pool.submit(ask, url, f"wrong-{number}") for number in range(8)]
        assert ask(url, "people-key").status_code == 200  # it was right before
        answers = [one.result() for one in tried]
    assert {one.status_code for one in answers} == {401, 429}
    assert {one.headers.get("retry-after") for one in answers if one.status_code == 429} == {"1"}


def test_requests_without_a_key_are_no_wrong_keys(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that learns from the first refusal how to sign in has tried none."""
    monkeypatch.setattr(throttling, "FREE_TRIES", 0)
    monkeypatch.setattr(throttling, "SLOWED_SECONDS", 30)
    client = TestClient(app_of(services))
    assert client.post("/v1/search", json={"query": "pump"}).status_code == 401
    assert client.post("/webhooks/acme", headers={"Authorization": "x"}).status_code == 401


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
    ],
)
def test_whoever_has_an_ipv6_address_has_all_of_its_network(host: str, network: str) -> None:
    assert _network(Request({"type": "http", "client": (host, 1)})) == network


def test_requests_are_limited_by_key_on_every_interface(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = services.settings.model_copy(update={"limits": LimitsSettings(requests_per_minute=2)})
    monkeypatch.setattr(services, "settings", limited)
    app = app_of(services)
    clock = [0.0]
    monkeypatch.setattr(throttling, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    client = TestClient(app)
    people, robot = ({"Authorization": f"Bearer {name}-key"} for name in ("people", "robot"))

    def search(headers: dict[str, str]) -> Response:
        return client.post("/v1/search", json={"query": "pump", "user": ADA}, headers=headers)

    assert [search(people).status_code for _ in range(3)] == [200, 200, 429]
    refused = search(people)
    assert (refused.headers["content-type"], refused.headers["retry-after"]) == ("application/problem+json", "30")
    assert client.post("/v1/search", json={"query": "pump"}, headers=robot).status_code == 200
    assert client.get("/v1/documents/x", headers=people).status_code == 429
    assert client.post("/mcp", json={}, headers=people).status_code == 429
    answer = client.post("/v1/vector_stores/people/search", json={"query": "pump"}, headers=people)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    clock[0] = 31.0
    assert [search(people).status_code for _ in range(2)] == [200, 429]


def test_openai_s_client_knows_the_limit(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = services.settings.model_copy(update={"limits": LimitsSettings(requests_per_minute=1)})
    monkeypatch.setattr(services, "settings", limited)
    with (
        served(app_of(services)) as url,
        openai.OpenAI(base_url=f"{url}/v1", api_key="people-key", max_retries=0) as client,
    ):
        named = {"X-Headrace-User": ADA}
        assert client.vector_stores.search("people", query="pump", extra_headers=named)
        with pytest.raises(openai.RateLimitError):
            client.vector_stores.search("people", query="pump", extra_headers=named)
