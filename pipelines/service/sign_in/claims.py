"""Which person the provider's claims prove. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from connectors.addresses import InvalidAddress, normalize_address
from pipelines.service_settings import GOOGLE, SignInSettings

Claims: TypeAlias = Mapping[str, Any]


class ClaimRefused(Exception):
    """The claims prove nobody whom the settings let in. The message says why, and what to do."""


def verified_address(claims: Claims, settings: SignInSettings) -> str:
    """The verified e-mail address, as addresses are compared. Raises ClaimRefused."""
    name = settings.email_claim
    email = _address(claims, name)
    _check_directory(claims, email, settings)
    # Beside `email` stands `email_verified`, and beside a namespaced claim its own.
    verified = {_as_bool(claims[one]) for one in ("email_verified", f"{name}_verified") if one in claims}
    if False in verified:
        raise ClaimRefused(f"the provider says that the address {email} is not verified: verify it there")
    if f"{name}_verified" not in claims and not settings.one_directory:
        raise ClaimRefused(
            f"the provider does not say whether {email} is verified: set sign_in.tenant or sign_in.domains if only "
            "your own people have accounts there"
        )
    return email


def _address(claims: Claims, name: str) -> str:
    value = claims.get(name)
    try:
        return normalize_address(value if isinstance(value, str) else "")
    except InvalidAddress:
        raise ClaimRefused(
            f"the provider's claims have no e-mail address in {name!r}: let it be among the claims of its tokens, or "
            "set sign_in.email_claim"
        ) from None


def _check_directory(claims: Claims, email: str, settings: SignInSettings) -> None:
    if settings.tenant and claims.get("tid") != settings.tenant:
        raise ClaimRefused("the account belongs to another tenant than sign_in.tenant")
    if not settings.domains:
        return
    if email.rpartition("@")[2] not in settings.domains:
        raise ClaimRefused("the address belongs to none of sign_in.domains")
    # An account that somebody made for themselves may bear a company's address, and keeps it when they leave.
    if settings.issuer.rstrip("/") == GOOGLE and claims.get("hd") not in settings.domains:
        raise ClaimRefused("the account does not belong to the company's Google Workspace")


def _as_bool(value: object) -> bool:
    """Some providers send `email_verified` as text."""
    return value is True or value == "true"
