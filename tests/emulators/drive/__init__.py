"""Google Drive in memory, over HTTP: written from its REST reference and guides.

https://developers.google.com/workspace/drive/api/reference/rest/v3
https://developers.google.com/workspace/drive/api/guides/about-changes · …/push · …/handle-errors

It speaks under a path prefix, shows only what one account sees, and gives only the fields that are asked for. A
change of a folder stands in the changes feed under the folder alone. Its clock moves with each change. `serving` puts
it on loopback, and `transport` in the place of the network.
"""

from tests.emulators.drive.permissions import anyone, domain, group, permission_id, person
from tests.emulators.drive.push import WEBHOOK_SECRET
from tests.emulators.drive.responses import Fault, Refusal, broken_gateway, cut_short, error, limited
from tests.emulators.drive.service import BASE_URL, serving, transport
from tests.emulators.drive.sign_in import REFRESH_TOKEN, TOKEN
from tests.emulators.drive.store import ME, ROOT, GoogleDrive
from tests.emulators.drive.view import described, effective

__all__ = [
    "BASE_URL",
    "ME",
    "REFRESH_TOKEN",
    "ROOT",
    "TOKEN",
    "WEBHOOK_SECRET",
    "Fault",
    "GoogleDrive",
    "Refusal",
    "anyone",
    "broken_gateway",
    "cut_short",
    "described",
    "domain",
    "effective",
    "error",
    "group",
    "limited",
    "permission_id",
    "person",
    "serving",
    "transport",
]
