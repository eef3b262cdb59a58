"""The service over a catalog in PostgreSQL, which holds no NUL and can be away."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from connectors.notion.settings import NotionConnection
from pipelines.service_settings import SignInSettings
from pipelines.services import Services
from pipelines.settings import CatalogSettings, Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.pipelines.service.serving import app_of

NUL = "a\0b"
PAGES = NotionConnection(id="pages", source="notion", token=SecretStr("t"), readers=("workspace",))
SIGN_IN = SignInSettings(issuer="http://127.0.0.1:9", client_id="headrace", client_secret=SecretStr("secret"))


@pytest.fixture
def client(tmp_path: Path, postgres_database: str) -> Iterator[TestClient]:
    url = CatalogSettings(url=SecretStr(postgres_database))
    settings = Settings(directory=tmp_path, catalog=url, public_url="http://127.0.0.1:8800", sign_in=SIGN_IN)
    with Services(settings.model_copy(update={"connections": (PAGES,)}), FakeEmbedder()) as services:
        yield TestClient(app_of(services), raise_server_exceptions=False)


def test_nul_in_what_strangers_send_is_their_mistake(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    handshake = json.dumps({"verification_token": NUL}).encode()
    signature = {"X-Notion-Signature": f"sha256={hmac.new(NUL.encode(), handshake, hashlib.sha256).hexdigest()}"}
    asked = {"client_id": NUL, "redirect_uri": "http://127.0.0.1/", "response_type": "code", "code_challenge": "c"}
    token = {"client_id": NUL, "grant_type": "refresh_token", "refresh_token": NUL}
    answers = [
        client.get("/authorize", params=asked),
        client.post("/token", data=token),
        client.post("/revoke", data={"client_id": NUL, "token": NUL}),
        client.post("/webhooks/pages", content=handshake, headers=signature),
    ]
    assert [one.status_code for one in answers] == [400, 401, 400, 401]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/v1/search", {"json": {"query": "zebra"}, "headers": {"Authorization": "Bearer key"}}),
        ("/mcp", {"json": {}, "headers": {"Authorization": "Bearer key"}}),
        ("/register", {"json": {"redirect_uris": ["http://127.0.0.1/"]}}),
        ("/token", {"data": {"client_id": "c", "grant_type": "refresh_token", "refresh_token": "t"}}),
        ("/authorize", {"data": {"client_id": "c", "response_type": "code", "code_challenge": "c"}}),
    ],
)
def test_a_catalog_that_is_away_is_a_503_and_one_line(
    client: TestClient,
    postgres_url: str,
    postgres_database: str,
    caplog: pytest.LogCaptureFixture,
    path: str,
    sent: dict[str, Any],
) -> None:
    caplog.set_level(logging.ERROR)
    admin = create_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {make_url(postgres_database).database} WITH (FORCE)"))
    admin.dispose()
    answer = client.post(path, **sent)
    found = answer.status_code, answer.headers["content-type"], answer.headers["retry-after"]
    assert found == (503, "application/problem+json", "5")
    (line,) = caplog.records
    assert ("the catalog cannot be used: " in line.getMessage(), line.exc_info) == (True, None)
