"""What clients read to find their way: RFC 8414, RFC 9728, and the MCP specification's use of them. Pure."""

from __future__ import annotations

from typing import Any, TypeAlias

from pipelines.service_settings import SignInSettings

Metadata: TypeAlias = dict[str, Any]

AUTHORIZATION_SERVER = "/.well-known/oauth-authorization-server"
PROTECTED_RESOURCE = "/.well-known/oauth-protected-resource"
AUTHORIZE, TOKEN, REGISTER, REVOKE = "/authorize", "/token", "/register", "/revoke"


def authorization_server(public_url: str, settings: SignInSettings) -> Metadata:
    """Of the broker (RFC 8414). Text as it is in the settings: clients compare the issuer byte for byte."""
    return {
        "issuer": public_url,
        "authorization_endpoint": public_url + AUTHORIZE,
        "token_endpoint": public_url + TOKEN,
        "registration_endpoint": public_url + REGISTER,
        "revocation_endpoint": public_url + REVOKE,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "client_id_metadata_document_supported": True,
        "authorization_response_iss_parameter_supported": True,
        **_scopes(settings),
    }


def protected_resource(public_url: str, path: str, settings: SignInSettings) -> Metadata:
    """Of the interface at `path` (RFC 9728): where clients get tokens for it, from the broker if there is one."""
    return {
        "resource": public_url + path,
        "authorization_servers": [public_url if settings.client_id else settings.issuer],
        "bearer_methods_supported": ["header"],
        "resource_name": "Headrace",
        **_scopes(settings),
    }


def _scopes(settings: SignInSettings) -> Metadata:
    """Clients ask for every scope that is named here, and providers refuse those that they do not know."""
    return {"scopes_supported": list(settings.oauth_scopes)} if settings.oauth_scopes else {}
