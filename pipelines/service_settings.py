"""Settings of the service: how people prove who they are, and what it takes from its clients."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from connectors.registry import SourceName
from connectors.settings import SettingsModel
from connectors.web_urls import check_web_url
from pipelines.loopback import is_loopback

GOOGLE = "https://accounts.google.com"
"""Issues identities to everybody who wants one; the claim `hd` tells whose directory an account belongs to."""
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


class AssistantScope(SettingsModel):
    """What may be searched at most; empty: all that the person or service may see."""

    sources: tuple[SourceName, ...] = Field(default=(), description="Only these sources")
    parents_in: tuple[str, ...] = Field(default=(), description="Only what is in these containers, by their ids")


def _secure_url(value: str) -> str:
    """`https`, or `http` on loopback: what is sent here would be read on the way."""
    parts = check_web_url(value)
    if parts.query or parts.fragment:
        raise ValueError("must be a URL without query and fragment")
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("must start with https:// (http:// on loopback only)")
    return value


def _origin(value: str) -> str:
    _secure_url(value)
    if urlsplit(value).path.strip("/"):
        raise ValueError("must have no path: Headrace needs a host name of its own (https://headrace.acme.com)")
    return value.rstrip("/")


def _redirect(value: str) -> str:
    parts = urlsplit(value)
    if not (_DOMAIN.fullmatch(value) or (parts.scheme and (parts.netloc or parts.path) and not parts.fragment)):
        raise ValueError("must be a host (agent.acme.com) or a whole redirect URI (cursor://anysphere/callback)")
    if parts.scheme in ("javascript", "data", "file", "blob", "about") or (
        parts.scheme == "http" and not is_loopback(parts.hostname or "")
    ):
        raise ValueError(f"{parts.scheme}: is no place to send people to")
    return value


def _domain(value: str) -> str:
    if not _DOMAIN.fullmatch(value.lower()):
        raise ValueError("must be a domain, such as acme.com")
    return value.lower()


SecureUrl: TypeAlias = Annotated[str, AfterValidator(_secure_url)]
"""Text, and no URL type: issuers are compared byte for byte, and a type that adds a slash would make them differ."""
PublicUrl: TypeAlias = Annotated[str, AfterValidator(_origin)]


class IntrospectionSettings(SettingsModel):
    """Where the provider is asked about tokens that only it can read (RFC 7662)."""

    url: SecureUrl | None = Field(default=None, description="Default: what the provider's discovery names")
    client_id: str = Field(description="As which the provider is asked")
    client_secret: SecretStr = Field(description="Of that client")


class SignInSettings(SettingsModel):
    """Sign-in at the company's OpenID provider. With `client_id` Headrace brokers it for clients and the page; with
    `audience` or `introspection`, the provider's own access tokens are accepted."""

    issuer: SecureUrl = Field(description="Exactly as the provider's discovery says it")
    client_id: str | None = Field(default=None, description="Of the web client at the provider")
    client_secret: SecretStr | None = Field(default=None, validate_default=True, description="Of that client")
    audience: tuple[str, ...] = Field(
        default=(), validate_default=True, description="Of access tokens that the provider makes for Headrace"
    )
    introspection: IntrospectionSettings | None = None
    may_search: AssistantScope = Field(default=AssistantScope(), description="The scope of all who sign in")
    email_claim: str = Field(default="email", min_length=1, description="Where the e-mail address stands")
    tenant: str | None = Field(default=None, description="The only value of the claim `tid`: a directory of Entra")
    domains: tuple[Annotated[str, AfterValidator(_domain)], ...] = Field(
        default=(), validate_default=True, description="The only domains of people's addresses"
    )
    redirects: tuple[Annotated[str, AfterValidator(_redirect)], ...] = Field(
        default=(), description="Hosts or whole URIs to which clients may be sent, beside those known"
    )
    oauth_scopes: tuple[str, ...] = Field(default=(), description="Scopes that clients ask the provider for")
    access_token_minutes: int = Field(default=10, ge=5, le=15, description="How long access tokens last")
    refresh_days: int = Field(default=30, ge=1, le=90, description="After which people sign in anew")
    session_hours: int = Field(default=12, ge=1, le=168, description="Of the page")

    @field_validator("client_secret")
    @classmethod
    def _proves_the_client(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if info.data.get("client_id") and not (value and value.get_secret_value()):
            raise ValueError("is missing: register Headrace as a confidential (web) client")
        return value

    @field_validator("audience")
    @classmethod
    def _is_of_access_tokens(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not (value or info.data.get("client_id")):
            raise ValueError("is missing, as client_id is: people sign in here, or bring tokens of the provider")
        if info.data.get("client_id") in value:
            raise ValueError("must not name client_id: ID tokens would pass for access tokens")
        return value

    @field_validator("introspection")
    @classmethod
    def _is_for_an_audience(
        cls, value: IntrospectionSettings | None, info: ValidationInfo
    ) -> IntrospectionSettings | None:
        if value and not info.data.get("audience"):
            raise ValueError("needs audience: tokens made for others must be refused")
        return value

    @field_validator("domains")
    @classmethod
    def _are_the_companys(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not value and info.data.get("issuer", "").rstrip("/") == GOOGLE:
            raise ValueError("is missing: anybody can have an account at Google")
        return value

    @property
    def one_directory(self) -> bool:
        """Whether only accounts that the company gives out can sign in."""
        return bool(self.tenant or self.domains)


def _addresses(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        raise ValueError("must be an IP address or a network, such as 10.0.0.7 or 10.0.0.0/8") from None
    return value


class LimitsSettings(SettingsModel):
    """What the server takes from its clients."""

    connections: int = Field(default=500, ge=10, description="Open at once; beyond, those that keep waiting are closed")
    requests_per_minute: int = Field(default=6_000, ge=1, description="With one key")
    trusted_proxies: tuple[Annotated[str, AfterValidator(_addresses)], ...] = Field(
        default=("127.0.0.1", "::1"), description="Addresses or networks whose X-Forwarded-For names the client"
    )


class MetricsSettings(SettingsModel):
    """Where Prometheus reads figures: of the server at `/metrics` with this key, on a port of its own, or both; of the
    worker on a port of its own."""

    key: SecretStr | None = Field(
        default=None, description="Bearer token for `/metrics` of the server, at least 20 characters"
    )
    host: str = Field(default="127.0.0.1", description="On which the ports of their own listen")
    port: int | None = Field(default=None, ge=1, le=65_535, description="Of the server")
    worker_port: int | None = Field(default=None, ge=1, le=65_535, description="Of the worker")
