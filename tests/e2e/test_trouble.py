"""What goes wrong is said in one line, in the right place, and the rest goes on."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import make_url

from tests.e2e.conftest import Folder, Ran, company_settings, embedding_settings, own_environment
from tests.emulators.company import bundled_records, connections, free_port, served
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import WEBHOOK_SECRET, GitHub

PATIENCE = 180.0
GITHUB = {"id": "acme", "source": "github", "token": "t", "base_url": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"connections": [{**GITHUB, "token": "${NOT_SET_ANYWHERE}"}]},
            "connections[0].token: the environment variable",
        ),
        ({"connections": [{**GITHUB, "tokn": "x"}]}, "connections[0].tokn: unknown key"),
        ({"connection": []}, "connection: unknown key"),
        ({"connections": [GITHUB, GITHUB]}, "duplicate id 'acme'"),
        ({"connections": [{**GITHUB, "source": "gitlab"}]}, "connections[0]"),
        ({"index": {"url": "ftp://x"}}, "index.url"),
        ({"catalog": {"url": "mysql://x"}}, "catalog.url"),
        ({"embedding": {"provider": "openai"}}, "embedding.api_key"),
    ],
)
def test_settings_are_refused_at_their_path(folder: Folder, settings: dict[str, Any], message: str) -> None:
    folder.settings(**settings)
    ran = folder.headrace("sync")
    assert (ran.code, ran.output) == (2, "")
    assert message in ran.errors
    assert "Traceback" not in ran.errors


def test_no_settings_at_all(folder: Folder) -> None:
    ran = folder.headrace("status")
    assert ran.code == 2
    assert "copy headrace.example.yaml" in ran.errors


@pytest.mark.parametrize("arguments", [("sync", "nobody"), ("units", "nobody"), ("backfill", "nobody")])
def test_unknown_connections_are_named(folder: Folder, arguments: tuple[str, str]) -> None:
    folder.settings(connections=[GITHUB])
    ran = folder.headrace(*arguments)
    assert (ran.code, "no connection 'nobody'" in ran.errors) == (2, True)


@pytest.mark.one_case
@pytest.mark.filterwarnings("ignore::dagster.SupersessionWarning")
@pytest.mark.parametrize("arguments", [("status",), ("sync",), ("reconcile",), ("backfill", "acme"), ("worker",)])
def test_a_catalog_that_cannot_be_opened_is_one_line_of_every_command(
    folder: Folder, postgres_url: str, arguments: tuple[str, ...]
) -> None:
    nobodys = make_url(postgres_url).set(database="nobodys").render_as_string(hide_password=False)
    folder.settings(connections=[GITHUB], catalog={"url": nobodys})
    ran = folder.headrace(*arguments)
    (line,) = ran.errors.splitlines()
    assert (ran.code, line.startswith("error: catalog.url: the database cannot be used")) == (2, True)


def test_a_database_that_is_away_is_one_line_of_a_command_that_only_asks(folder: Folder) -> None:
    away = f"postgresql://headrace@127.0.0.1:{free_port()}/headrace"
    folder.settings(connections=[GITHUB], catalog={"url": away})
    ran = folder.headrace("status")
    (line,) = ran.errors.splitlines()
    assert (ran.code, line.startswith("error: catalog.url: the database cannot be used")) == (2, True)


@pytest.mark.slow
def test_a_server_that_starts_while_its_index_is_away_takes_deliveries(folder: Folder) -> None:
    github, port = GitHub(), free_port()
    acme = GITHUB | {"webhook_secret": WEBHOOK_SECRET}
    folder.settings(connections=[acme], index={"url": f"http://127.0.0.1:{free_port()}", "collection": "knowledge"})
    headers, body = github.issue_webhook("edited", github.repository("acme/api"), 1)
    process = folder.started("serve", "--port", str(port))
    try:
        deadline, taken = time.monotonic() + PATIENCE, False
        while not taken and time.monotonic() < deadline:
            assert process.poll() is None, folder.log
            with suppress(httpx.ConnectError):
                url = f"http://127.0.0.1:{port}/webhooks/acme"
                taken = httpx.post(url, content=body, headers=headers, timeout=30).is_success
        assert httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=60).status_code == 503
        assert [line for line in folder.log.splitlines() if "nothing is found for now: " in line]
    finally:
        process.terminate()
        process.wait()


def test_a_catalog_of_a_newer_release_is_one_line_of_a_sync(folder: Folder) -> None:
    folder.settings(connections=[GITHUB])
    assert folder.headrace("status").code == 0
    with closing(sqlite3.connect(folder.path / ".headrace" / "catalog.db")) as catalog, catalog:
        catalog.execute("UPDATE catalog_version SET version_num = '9999'")
    ran = folder.headrace("sync")
    (line,) = ran.errors.splitlines()
    assert (ran.code, "the catalog is at revision 9999" in line) == (1, True)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("status",), ("status", "--json"), ("--help",)])
def test_output_that_a_full_disk_does_not_take_is_one_line(folder: Folder, arguments: tuple[str, ...]) -> None:
    folder.settings(connections=[GITHUB])
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            folder.command(*arguments), cwd=folder.path, env=own_environment(), stdout=full, stderr=subprocess.PIPE
        )
    expected = b"error: no space left on the disk of standard output: make room and try again\n"
    assert (ran.returncode, ran.stderr) == (1, expected)


@pytest.mark.filterwarnings("ignore::dagster.SupersessionWarning")
def test_one_connection_in_trouble_leaves_the_others_alone(
    folder: Folder, headrace: Callable[..., Ran], embeddings: EmbeddingsServer, tmp_path: Path
) -> None:
    with served(bundled_records(), tmp_path / "sources", free_port()) as url:
        working = connections(url)
        wrong_token = {**working[2], "id": "wrong-token", "token": "nobody-knows-this-token"}
        unreachable = {**GITHUB, "id": "unreachable"}
        folder.settings(connections=[wrong_token, unreachable, working[1]], embedding=embedding_settings(embeddings))
        ran = headrace("sync", "--json")
        assert ran.code == 1
        assert set(ran.json["errors"]) == {"wrong-token", "unreachable"}
        assert "check the connection's token" in ran.json["errors"]["wrong-token"]
        assert "http://127.0.0.1:9" in ran.json["errors"]["unreachable"]
        assert "nobody-knows-this-token" not in ran.output + ran.errors
        assert "Traceback" not in ran.errors
        assert headrace("status", "--json").json["connections"][2]["totals"]["indexed"] == 13
        checked = headrace("check", "--json")
        assert checked.code == 1
        ill = {one["subject"] for one in checked.json["findings"] if not one["ok"]}
        not_offered = {"acme-drive: comments", "acme-drive: changes"}  # the emulated company has neither
        assert ill == {"wrong-token: credentials", "unreachable: credentials", *not_offered}


@pytest.mark.slow
def test_an_embedding_key_that_is_refused_keeps_what_was_read(
    folder: Folder, embeddings: EmbeddingsServer, tmp_path: Path
) -> None:
    with served(bundled_records(), tmp_path / "sources", free_port()) as url:
        folder.settings(**company_settings(url, embeddings))
        embeddings.api_key = "another"
        ran = folder.headrace("sync", "acme-notion", "--json")
        assert ran.code == 1
        assert all("embedding.api_key" in error for error in ran.json["errors"].values())
        embeddings.api_key = None
        ran = folder.headrace("sync", "acme-notion", "--json")
        assert (ran.code, ran.json["documents"]["read"]) == (0, 0)
        assert ran.json["chunks"]["new"] > 0


@pytest.mark.slow
def test_backfill_tells_what_it_takes_before_it_starts(
    folder: Folder, embeddings: EmbeddingsServer, tmp_path: Path
) -> None:
    with served(bundled_records(), tmp_path / "sources", free_port()) as url:
        folder.settings(**company_settings(url, embeddings))
        dry = folder.headrace("backfill", "acme-drive", "--since", "2026-02-01", "--dry-run", "--json").json
        assert (dry["documents"] > 0, dry["inputs"] > 0, dry["tokens"] > 0) == (True, True, True)
        tried = embeddings.counters()
        done = folder.headrace("backfill", "acme-drive", "--since", "2026-02-01", "--json").json
        assert done["documents"]["new"] == dry["documents"]
        paid = embeddings.counters()
        assert paid["inputs"] == dry["inputs"], "each text once, those included by which the time was estimated"
        assert done["embedding"]["inputs"] == paid["inputs"] - tried["inputs"] < dry["inputs"]
        assert paid["repeated"] == 0


@pytest.mark.slow
def test_an_option_that_postgresql_does_not_know_is_named(folder: Folder) -> None:
    folder.settings(connections=[], catalog={"url": "postgresql://u:p@127.0.0.1:1/db?foo=bar"})
    ran = folder.headrace("status")
    assert ran.code == 2
    assert ran.errors == "error: catalog.url: 'foo' is no parameter of a connection to PostgreSQL\n"
