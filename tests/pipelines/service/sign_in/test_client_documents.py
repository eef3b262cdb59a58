"""Documents of clients are read from the public internet alone, and only as much as must be."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pipelines.service.sign_in.client_documents import (
    LIFETIME,
    MOST_BYTES,
    TROUBLE_LIFETIME,
    ClientDocuments,
    DocumentRefused,
    is_document_url,
    is_public,
)
from pipelines.service.sign_in.known_clients import KNOWN_CLIENTS
from pipelines.service.sign_in.redirects import is_allowed

CLIENT = "https://agent.example/oauth/client.json"
DOCUMENT = {"client_id": CLIENT, "client_name": "Agent", "redirect_uris": ["http://127.0.0.1/callback"]}
PUBLIC = "93.184.215.14"


class Internet:
    """What hosts resolve to, what they answer, and what they were asked."""

    def __init__(self) -> None:
        self.addresses = [PUBLIC]
        self.answer: Callable[[httpx.Request], httpx.Response] = lambda _: httpx.Response(200, json=DOCUMENT)
        self.asked: list[httpx.Request] = []
        self.now = 0.0
        self.documents = ClientDocuments(self.resolve, httpx.MockTransport(self.send), lambda: self.now)

    def resolve(self, host: str) -> list[str]:
        return self.addresses

    def send(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer(request)

    def find(self, client: str = CLIENT) -> Any:
        return self.documents.find(client)


@pytest.fixture
def internet() -> Internet:
    return Internet()


def test_a_document_is_read_once_a_day_at_the_address_that_was_looked_at(internet: Internet) -> None:
    assert internet.find().redirect_uris == ("http://127.0.0.1/callback",)
    internet.now += LIFETIME - 1
    assert internet.find().name == "Agent"
    (request,) = internet.asked
    assert request.url.host == PUBLIC
    assert (request.headers["host"], request.extensions["sni_hostname"]) == ("agent.example", "agent.example")
    internet.now += 1
    internet.find()
    assert len(internet.asked) == 2


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["192.168.0.1"],
        ["100.64.0.1"],
        ["0.0.0.0"],
        ["224.0.0.1"],
        ["::1"],
        ["fe80::1"],
        ["fd00::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        [PUBLIC, "127.0.0.1"],
        [],
    ],
)
def test_internal_addresses_are_not_asked(internet: Internet, addresses: list[str]) -> None:
    internet.addresses = addresses
    with pytest.raises(DocumentRefused, match="public internet"):
        internet.find()
    assert internet.asked == []


def test_public_addresses_are() -> None:
    assert all(is_public(one) for one in (PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c"))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(302, headers={"location": "http://127.0.0.1/"}), "cannot be read"),
        (httpx.Response(404, json={}), "cannot be read"),
        (httpx.Response(200, text="<html>"), "cannot be read"),
        (httpx.Response(200, json=[]), "cannot be read"),
        (httpx.Response(200, json={**DOCUMENT, "more": "x" * MOST_BYTES}), "cannot be read"),
        (httpx.Response(200, json={**DOCUMENT, "client_id": f"{CLIENT}/"}), "another client"),
        (httpx.Response(200, json={**DOCUMENT, "redirect_uris": []}), "does not describe a client"),
        (httpx.Response(200, json={"client_id": CLIENT}), "does not describe a client"),
    ],
)
def test_what_is_no_document_is_refused_and_not_asked_again_at_once(
    internet: Internet, answer: httpx.Response, reason: str
) -> None:
    internet.answer = lambda _: httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
    for _ in range(2):
        with pytest.raises(DocumentRefused, match=reason):
            internet.find()
    assert len(internet.asked) == 1
    internet.answer = lambda _: httpx.Response(200, content=json.dumps(DOCUMENT))
    internet.now += TROUBLE_LIFETIME
    assert internet.find().name == "Agent"


@pytest.mark.parametrize(
    ("client", "is_url"),
    [
        (CLIENT, True),
        ("https://agent.example/client?version=1", True),
        ("http://agent.example/client", False),
        ("https://agent.example", False),
        ("https://agent.example/", False),
        ("https://agent.example:8443/client", False),
        ("https://user@agent.example/client", False),
        ("https://agent.example/client#fragment", False),
        ("https://agent.example/a/../client", False),
        ("https://localhost/client", False),
        ("https://127.0.0.1/client", False),
        ("https://127.1/client", False),
        ("https://[::1]/client", False),
        ("https://agent.example\\@evil.example/client", False),
        ("0b5c7c7e-6b0e-4a26-9d54-4a9cbd7e2c11", False),
    ],
)
def test_only_such_urls_are_read(client: str, is_url: bool) -> None:
    assert is_document_url(client) is is_url


def test_known_clients_are_pinned(internet: Internet) -> None:
    for client in KNOWN_CLIENTS.values():
        assert is_document_url(client.id)
        assert all(is_allowed(uri, ()) for uri in client.redirect_uris)
        assert internet.find(client.id) == client
    assert internet.asked == []
