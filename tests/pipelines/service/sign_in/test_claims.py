"""Which person claims prove."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.service.sign_in.claims import ClaimRefused, verified_address
from pipelines.service_settings import GOOGLE, SignInSettings

ADA = "ada@acme.com"


def settings(**changed: Any) -> SignInSettings:
    return SignInSettings.model_validate({"issuer": "https://login.acme.com", "audience": ["headrace"], **changed})


@pytest.mark.parametrize(
    ("claims", "changed"),
    [
        ({"email": "Ada@Acme.com", "email_verified": True}, {}),
        ({"email": ADA, "email_verified": "true"}, {}),
        ({"email": ADA}, {"domains": ["ACME.com"]}),
        ({"email": ADA, "tid": "t"}, {"tenant": "t"}),
        (
            {"https://acme.com/email": ADA, "https://acme.com/email_verified": True},
            {"email_claim": "https://acme.com/email"},
        ),
        ({"upn": ADA, "tid": "t"}, {"email_claim": "upn", "tenant": "t"}),
        ({"email": ADA, "email_verified": True, "hd": "acme.com"}, {"issuer": GOOGLE, "domains": ["acme.com"]}),
    ],
)
def test_proven(claims: dict[str, Any], changed: dict[str, Any]) -> None:
    assert verified_address(claims, settings(**changed)) == ADA


@pytest.mark.parametrize(
    ("claims", "changed", "reason"),
    [
        ({"email": ADA}, {}, "does not say whether"),
        ({"email": ADA, "email_verified": False}, {"domains": ["acme.com"]}, "not verified"),
        ({"email": ADA, "email_verified": 1}, {}, "not verified"),
        ({"upn": ADA, "email": "x@y.com", "email_verified": True}, {"email_claim": "upn"}, "does not say whether"),
        ({"upn": ADA, "email_verified": False, "tid": "t"}, {"email_claim": "upn", "tenant": "t"}, "not verified"),
        ({"email": ADA, "tid": "other"}, {"tenant": "t"}, "another tenant"),
        ({"email": ADA}, {"tenant": "t"}, "another tenant"),
        ({"email": "ada@evil.com", "email_verified": True}, {"domains": ["acme.com"]}, "none of"),
        ({"email": "ada@acme.com.evil.com", "email_verified": True}, {"domains": ["acme.com"]}, "none of"),
        ({"email": ADA, "email_verified": True}, {"issuer": GOOGLE, "domains": ["acme.com"]}, "Workspace"),
        ({"email": "ad\u212a@acme.com", "email_verified": True}, {}, "no e-mail address"),
        ({"sub": ADA, "email_verified": True}, {}, "no e-mail address"),
    ],
)
def test_not_proven(claims: dict[str, Any], changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(ClaimRefused, match=reason):
        verified_address(claims, settings(**changed))
