"""What clients read to find their way."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from pipelines.service.sign_in.metadata import authorization_server, protected_resource
from pipelines.service_settings import SignInSettings

URL = "https://headrace.acme.com"
BROKER = SignInSettings(issuer="https://login.acme.com/", client_id="c", client_secret=SecretStr("s"))
DIRECT = SignInSettings(issuer="https://login.acme.com/", audience=("a",), oauth_scopes=("openid", "search"))


def test_the_broker_describes_itself() -> None:
    found = authorization_server(URL, BROKER)
    assert found["issuer"] == URL
    assert (found["authorization_endpoint"], found["token_endpoint"]) == (f"{URL}/authorize", f"{URL}/token")
    assert found["token_endpoint_auth_methods_supported"] == ["none"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"]
    assert found["client_id_metadata_document_supported"]
    assert "scopes_supported" not in found


@pytest.mark.parametrize(("settings", "server"), [(BROKER, URL), (DIRECT, "https://login.acme.com/")])
def test_a_resource_names_who_makes_its_tokens(settings: SignInSettings, server: str) -> None:
    found = protected_resource(URL, "/mcp", settings)
    assert (found["resource"], found["authorization_servers"]) == (f"{URL}/mcp", [server])
    assert found.get("scopes_supported", []) == list(settings.oauth_scopes)
