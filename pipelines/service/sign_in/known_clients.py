"""Documents of clients that many people use, as their makers publish them.

Kept here, since some of the sites refuse to answer programs, and so that signing in needs no request to elsewhere.
A client whose document changes is found out by its redirect being refused; the pages are the client ids.
"""

from __future__ import annotations

from pipelines.catalog.oauth_clients import OAuthClient

_LOOPBACK = ("http://127.0.0.1/callback", "http://localhost/callback")

KNOWN_CLIENTS = {
    client.id: client
    for client in (
        OAuthClient(
            "https://claude.ai/oauth/mcp-oauth-client-metadata",
            "Claude",
            ("https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"),
        ),
        OAuthClient("https://claude.ai/oauth/claude-code-client-metadata", "Claude Code", _LOOPBACK),
        OAuthClient(
            "https://chatgpt.com/oauth/client.json",
            "ChatGPT",
            ("https://chatgpt.com/connector_platform_oauth_redirect",),
        ),
        OAuthClient("https://chatgpt.com/oauth/codex/client.json", "Codex", _LOOPBACK),
        OAuthClient(
            "https://vscode.dev/oauth/client-metadata.json",
            "Visual Studio Code",
            ("http://127.0.0.1:33418/", "https://vscode.dev/redirect"),
        ),
    )
}
