"""Where people may be sent."""

from __future__ import annotations

import pytest

from pipelines.service.sign_in.redirects import destination, is_allowed, is_same

SETTINGS = ("agent.acme.com", "cursor://anysphere.cursor-retrieval/oauth/callback", "https://a.acme.com/only/this")


@pytest.mark.parametrize(
    "uri",
    [
        "https://claude.ai/api/mcp/auth_callback",
        "https://claude.com/api/mcp/auth_callback",
        "https://chatgpt.com/connector/oauth/abc",
        "https://vscode.dev/redirect",
        "https://vscode.dev:443/redirect",
        "http://localhost/",
        "http://127.0.0.1:33418/",
        "http://[::1]:5000/callback?a=b",
        "https://agent.acme.com/back",
        "cursor://anysphere.cursor-retrieval/oauth/callback",
        "https://a.acme.com/only/this",
    ],
)
def test_allowed(uri: str) -> None:
    assert is_allowed(uri, SETTINGS)


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/",
        "https://claude.ai.evil.example/",
        "https://evil.example/claude.ai",
        "https://evil.example?claude.ai",
        "https://claude.ai@evil.example/",
        "https://evil.example\\@claude.ai/",
        "https://evil.example\\.claude.ai/",
        "https://sub.claude.ai/",
        "https://claude.ai:8443/",
        "https://claude.ai:0/",
        "https://claude.ai/callback#fragment",
        "https://claude.ai./",
        "http://claude.ai/",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://user@127.0.0.1/",
        "http://10.0.0.1/",
        "https://claude.ai /",
        "https://claude.ai/\n",
        "javascript:alert(1)",
        "data:text/html,x",
        "cursor://anysphere.cursor-retrieval/oauth/callback/more",
        "cursor://elsewhere",
        "https://a.acme.com/other",
        "//claude.ai/",
        "claude.ai",
        "",
    ],
)
def test_not_allowed(uri: str) -> None:
    assert not is_allowed(uri, SETTINGS)


@pytest.mark.parametrize(
    ("registered", "asked", "same"),
    [
        ("http://127.0.0.1/callback", "http://127.0.0.1:5000/callback", True),
        ("http://localhost:1/", "http://localhost:2", True),
        ("http://127.0.0.1/callback", "http://localhost/callback", False),
        ("http://127.0.0.1/callback", "http://127.0.0.1/other", False),
        ("http://127.0.0.1/callback", "http://127.0.0.1/callback?x=1", False),
        ("http://127.0.0.1/callback", "https://127.0.0.1/callback", False),
        ("https://claude.ai/back", "https://claude.ai/back", True),
        ("https://claude.ai/back", "https://claude.ai:443/back", False),
        ("http://intranet/back", "http://intranet:8080/back", False),
    ],
)
def test_ports_of_this_machine_are_not_compared(registered: str, asked: str, same: bool) -> None:
    assert is_same(registered, asked) is same


def test_a_destination_is_named_as_people_read_it() -> None:
    assert destination("https://claude.ai/api/mcp/auth_callback") == "claude.ai"
    assert destination("http://127.0.0.1:5000/callback") == "a program on this computer (127.0.0.1:5000)"
    assert destination("cursor://anysphere/callback") == "an app on this computer (cursor:)"
