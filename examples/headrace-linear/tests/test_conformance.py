"""The connector keeps every promise of the contract, on the emulator of this package."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime

import httpx
import pytest
from headrace_linear.emulator import TOKEN, LinearEmulator
from headrace_linear.settings import LinearConnection
from headrace_linear.source import connect
from pydantic import SecretStr

from connectors.contract import Membership
from connectors.testing import Case, KnownObject, Observation
from connectors.testing.conformance import test_promise  # noqa: F401 - run by pytest


@pytest.fixture(scope="module")
def observation() -> Iterator[Observation]:
    with closing(Observation(linear_case())) as observation:
        yield observation


def linear_case() -> Case:
    """A public team with issues over several days and long talks, and a private one; three of anything a page."""
    linear = LinearEmulator(page_size=3)
    ada, bob = linear.user("Ada"), linear.user("Bob")
    guest = linear.user("Gil", guest=True)
    mill = linear.team("MILL", "Mill", ada, bob, guest)
    board = linear.team("BOARD", "Board", ada, visibility="private")
    issues = []
    for number in range(8):
        linear.wait(days=1)
        issues.append(linear.issue(mill, f"Pump {number} is stuck", f"It stood still for {number} hours."))
    for issue in issues[::2]:
        for number in range(4):
            linear.comment(issue, f"Oil helps, says number {number}.")
    linear.archive(linear.issue(mill, "An old story"))
    purchase = linear.issue(board, "Buy another mill", "The one by the weir.")
    connection = LinearConnection(
        id="acme-linear", source="linear", token=SecretStr(TOKEN), base_url="http://linear.test"
    )
    workspace, millers, directors = (
        "group:acme-linear:workspace",
        f"group:acme-linear:{mill}",
        f"group:acme-linear:{board}",
    )

    def known(issue: str, content: str, *readers: str) -> KnownObject:
        shown = linear.issues[issue]
        return KnownObject(
            document_id=f"linear:acme-linear/{issue}",
            unit=shown["team"]["id"],
            created_at=datetime.fromisoformat(shown["createdAt"]),
            updated_at=datetime.fromisoformat(shown["updatedAt"]),
            title=shown["title"],
            content=content,
            readers=readers,
        )

    def change() -> str:
        linear.comment(issues[3], "It runs.")
        return f"linear:acme-linear/{issues[3]}"

    return Case(
        connection=connection,
        connect=lambda transport: connect(connection, transport),
        transport=lambda: httpx.MockTransport(linear.answer),
        known=(
            known(issues[1], "It stood still for 1 hours.", workspace, millers),
            known(purchase, "by the weir", directors),
        ),
        absent_id=lambda unit: "linear:acme-linear/00000000-0000-0000-0000-000000000000",
        reads_one=lambda request: json.loads(request.content)["operationName"] in ("Issue", "IssueComments"),
        checkpoints={mill: 3, board: 1},
        memberships=frozenset(
            {Membership("workspace", email) for email in (ada, bob)}
            | {Membership(mill, email) for email in (ada, bob, guest)}
            | {Membership(board, ada)}
        ),
        change=change,
    )
