"""Settings of sign-in: what is wrong with them is said at its path."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import SettingsError
from pipelines.settings import load_settings

ISSUER = "https://login.acme.com/"
PUBLIC = "public_url: https://headrace.acme.com"
BROKER = f"issuer: '{ISSUER}', client_id: c, client_secret: s"


def load(tmp_path: Path, text: str) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text(text)
    settings = load_settings(file, {})
    assert settings.sign_in
    # As it is written, byte for byte: a provider without the slash is another one.
    assert (settings.public_url, settings.sign_in.issuer) == ("https://headrace.acme.com", ISSUER)


@pytest.mark.parametrize(
    ("sign_in", "path", "reason"),
    [
        ("issuer: 'http://login.acme.com', audience: [a]", "issuer", "must start with https://"),
        ("issuer: login.acme.com, audience: [a]", "issuer", "must start with http"),
        ("issuer: 'https://x:y@login.acme.com', audience: [a]", "issuer", "must have no user or password"),
        ("audience: [a]", "issuer", "is missing"),
        (f"issuer: '{ISSUER}'", "audience", "is missing, as client_id is"),
        (f"issuer: '{ISSUER}', client_id: c", "client_secret", "confidential"),
        (f"issuer: '{ISSUER}', client_id: c, client_secret: ''", "client_secret", "confidential"),
        (f"{BROKER}, audience: [c]", "audience", "must not name client_id"),
        (f"{BROKER}, introspection: {{client_id: a, client_secret: b}}", "introspection", "needs audience"),
        ("issuer: 'https://accounts.google.com', client_id: c, client_secret: s", "domains", "anybody"),
        (f"{BROKER}, domains: [ada@acme.com]", "domains[0]", "must be a domain"),
        (f"{BROKER}, redirects: ['javascript:alert(1)']", "redirects[0]", "no place"),
        (f"{BROKER}, redirects: ['http://agent.acme.com/x']", "redirects[0]", "no place"),
        (f"{BROKER}, redirects: ['acme']", "redirects[0]", "must be a host"),
        (f"{BROKER}, access_token_minutes: 60", "access_token_minutes", "15"),
        (f"{BROKER}, refresh_days: 400", "refresh_days", "90"),
        (f"{BROKER}, may_search: {{sources: [sharepoint]}}", "may_search.sources[0]", "sharepoint"),
        (f"{BROKER}, scopes: [openid]", "scopes", "unknown key"),
    ],
)
def test_what_is_wrong_is_told_at_its_path(tmp_path: Path, sign_in: str, path: str, reason: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(tmp_path, f"{PUBLIC}\nsign_in: {{{sign_in}}}")
    assert raised.value.path == f"sign_in.{path}"
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (f"sign_in: {{{BROKER}}}", "sign_in"),
        (f"public_url: http://headrace.acme.com\nsign_in: {{{BROKER}}}", "public_url"),
        (f"public_url: https://acme.com/headrace\nsign_in: {{{BROKER}}}", "public_url"),
        (f"public_url: https://acme.com?a=b\nsign_in: {{{BROKER}}}", "public_url"),
    ],
)
def test_sign_in_needs_an_address_of_its_own(tmp_path: Path, text: str, path: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(tmp_path, text)
    assert raised.value.path == path


@pytest.mark.parametrize("sign_in", [BROKER, f"issuer: '{ISSUER}', audience: [a]", f"{BROKER}, audience: [a]"])
def test_each_way_alone_and_both(tmp_path: Path, sign_in: str) -> None:
    load(tmp_path, f"{PUBLIC}/\nsign_in: {{{sign_in}}}")
