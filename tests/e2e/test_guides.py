"""The guides to the sources, followed to their end: what they have people write into the settings and into `.env` reads
an emulated source, by the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pipelines.settings import load_settings
from tests.e2e.conftest import Folder, Ran, embedding_settings
from tests.e2e.test_parts import made
from tests.emulators import github
from tests.emulators.drive import person
from tests.emulators.drive.workspace import Workspace
from tests.emulators.embeddings import EmbeddingsServer
from tests.guides.fences import Fence, fences, page

ADMIN = "admin@acme.com"
"""Whom the guide to Drive names."""


@dataclass(frozen=True)
class Key:
    """A private key as consoles give it, and what it is verified with; both in PEM."""

    private: str
    public: bytes


@pytest.fixture(scope="module")
def key() -> Key:
    made_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    private = made_key.private_bytes(pem, form, serialization.NoEncryption()).decode()
    public = made_key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Key(private, public)


@dataclass(frozen=True)
class Guide:
    """A guide, the text before the settings that are followed, `secrets` for `.env`, and `elsewhere`: what points to
    the emulated source in place of the real one."""

    name: str
    after: str
    secrets: dict[str, str]
    elsewhere: dict[str, Any]

    def settings(self) -> dict[str, Any]:
        """The first connection that the guide has people write after that text."""
        file = page(f"docs/sources/{self.name}.md")
        text = file.read_text(encoding="utf-8")
        line = text[: text.index(self.after)].count("\n")
        snippet = next(one for one in fences(file, "yaml") if one.line > line and one.text.startswith("connections:"))
        [connection] = yaml.safe_load(snippet.text)["connections"]
        return dict(connection) | self.elsewhere


def slack(stack: ExitStack, key: Key) -> Guide:
    source = made("slack")
    source.emulator.bot_id = "B1"
    url = stack.enter_context(source.serving)
    secrets = {"SLACK_TOKEN": source.settings["token"], "SLACK_SIGNING_SECRET": "a-signing-secret"}
    return Guide("slack", "# Slack", secrets, {"base_url": url})


def notion(stack: ExitStack, key: Key) -> Guide:
    source = made("notion")
    url = stack.enter_context(source.serving)
    return Guide("notion", "# Notion", {"NOTION_TOKEN": source.settings["token"]}, {"base_url": url})


def github_app(stack: ExitStack, key: Key) -> Guide:
    source = made("github")
    source.emulator.public_key = key.public
    url = stack.enter_context(source.serving)
    secrets = {"GITHUB_APP_KEY": f'"{key.private}"', "GITHUB_WEBHOOK_SECRET": "a-secret-of-webhooks"}
    return Guide("github", "# GitHub", secrets, {"base_url": url, "installation_id": str(github.INSTALLATION)})


def github_token(stack: ExitStack, key: Key) -> Guide:
    source = made("github")
    url = stack.enter_context(source.serving)
    return Guide("github", "## With a token", {"GITHUB_TOKEN": source.settings["token"]}, {"base_url": url})


def google_delegation(stack: ExitStack, key: Key) -> Guide:
    workspace = Workspace(key.public, groups={"team@acme.com": [ADMIN]})
    admin = workspace.person("100", ADMIN)
    admin.doc("Lore", "Read by all.", admin.shared_drive("Team", person(ADMIN), drive="team"))
    workspace.person("101", "bo@acme.com").doc("Pumps", "Three pumps.", id="pumps")
    url = stack.enter_context(workspace.serving())
    elsewhere = {"base_url": url, "token_uri": f"{url}/token", "directory_url": f"{url}/directory"}
    return Guide("google-drive", "# Google Drive", {"GOOGLE_TOKEN": f"'{service_account(key)}'"}, elsewhere)


def google_alone(stack: ExitStack, key: Key) -> Guide:
    source = made("drive")
    source.emulator.tokens.public_key = key.public
    url = stack.enter_context(source.serving)
    elsewhere = {"base_url": url, "token_uri": f"{url}/token"}
    return Guide("google-drive", "By itself", {"GOOGLE_TOKEN": f"'{service_account(key)}'"}, elsewhere)


def service_account(key: Key) -> str:
    """The JSON file that Google's console gives, on one line."""
    told = {"type": "service_account", "client_email": "headrace@project.iam.gserviceaccount.com"}
    return json.dumps({**told, "private_key": key.private, "token_uri": "https://oauth2.googleapis.com/token"})


Follow = Callable[[ExitStack, Key], Guide]
FIRST_WAYS, SECOND_WAYS = (slack, notion, github_app, google_delegation), (github_token, google_alone)


@pytest.mark.slow
@pytest.mark.parametrize("ways", [FIRST_WAYS, pytest.param(SECOND_WAYS, marks=pytest.mark.slow)])
def test_whoever_follows_the_guides_reads_the_sources(
    folder: Folder, headrace: Callable[..., Ran], embeddings: EmbeddingsServer, key: Key, ways: tuple[Follow, ...]
) -> None:
    with ExitStack() as stack:
        guides = [follow(stack, key) for follow in ways]
        connections = [guide.settings() for guide in guides]
        folder.settings(connections=connections, embedding=embedding_settings(embeddings))
        secrets = [f"{name}={value}\n" for guide in guides for name, value in guide.secrets.items()]
        (folder.path / ".env").write_text("".join(secrets))
        checked = headrace("check")
        assert (checked.code, "fail " in checked.output) == (0, False), checked.output + checked.errors
        synced = headrace("sync", "--json")
        assert (synced.code, synced.json["documents"]["failed"]) == (0, 0), synced.errors
        indexed = {one["id"]: one["totals"]["indexed"] for one in headrace("status", "--json").json["connections"]}
        assert indexed.keys() == {one["id"] for one in connections}
        assert all(indexed.values()), indexed


def test_every_settings_snippet_of_the_guides_is_valid(folder: Folder) -> None:
    """Those of webhooks and readers too, which are not followed above."""
    snippets = [
        one for file in page("docs/sources").glob("*.md") for one in fences(file, "yaml") if "connections:" in one.text
    ]
    assert len(snippets) >= 8
    for one in snippets:
        (folder.path / "headrace.yaml").write_text(one.text)
        names = (
            "SLACK_TOKEN",
            "SLACK_SIGNING_SECRET",
            "NOTION_TOKEN",
            "GITHUB_TOKEN",
            "GITHUB_WEBHOOK_SECRET",
            "PUSH_KEY",
        )
        own = {"DRIVE_WEBHOOK_SECRET": "a-secret-of-drive", "PUSH_KEY": "a-key-of-at-least-twenty"}
        values = dict.fromkeys(names, "a-value-of-some-length") | own
        keys = {"GITHUB_APP_KEY": "-----BEGIN RSA PRIVATE KEY-----", "GOOGLE_TOKEN": "ya29.token"}
        assert load_settings(folder.path / "headrace.yaml", values | keys).connections


@pytest.mark.parametrize("snippet", fences(page("docs/embedding.md"), "yaml"), ids=lambda one: f"line {one.line}")
def test_the_settings_of_an_embedding_provider_are_valid(folder: Folder, snippet: Fence) -> None:
    (folder.path / "headrace.yaml").write_text(snippet.text)
    keys = dict.fromkeys(re.findall(r"\$\{(\w+)\}", snippet.text), "a-key-of-the-provider")
    assert load_settings(folder.path / "headrace.yaml", keys).embedding.provider == "openai"
