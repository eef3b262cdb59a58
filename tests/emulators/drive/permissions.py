"""Permissions as Drive has them: of people, groups, domains, and whoever has a link.

https://developers.google.com/workspace/drive/api/reference/rest/v3/permissions
"""

from __future__ import annotations

import hashlib
from typing import Any

from tests.emulators.drive.query import Payload


def person(email: str, role: str = "reader", **more: Any) -> Payload:
    """`more` are other fields of the permission, such as `expirationTime`."""
    return {"type": "user", "role": role, "emailAddress": email, **more}


def group(email: str, role: str = "reader") -> Payload:
    return {"type": "group", "role": role, "emailAddress": email}


def domain(name: str, *, discoverable: bool = True) -> Payload:
    return {"type": "domain", "role": "reader", "domain": name, "allowFileDiscovery": discoverable}


def anyone(*, discoverable: bool = False) -> Payload:
    return {"type": "anyone", "role": "reader", "allowFileDiscovery": discoverable}


def permission_id(permission: Payload) -> str:
    """Stands for a person, group or domain, wherever it is shared with; links have ids of their own."""
    if permission["type"] == "anyone":
        return "anyone" if permission.get("allowFileDiscovery") else "anyoneWithLink"
    return grantee_id(permission.get("emailAddress") or permission["domain"])


def grantee_id(named: str) -> str:
    """Of the first person, group or domain that ever had this address."""
    return str(int(hashlib.sha256(named.encode()).hexdigest()[:16], 16))
