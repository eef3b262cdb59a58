"""How `headrace status` prints: connections in a line each, then the units, those in trouble first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.cli.output import open_console, plain, print_json, print_rest, readable
from pipelines.cli.paging import Page
from pipelines.cli.refused_parts import RefusedPart, refused_lines
from pipelines.cli.tables import print_table
from pipelines.operations.status import COUNTED
from pipelines.printable import printable

_UNITS = ("connection", "unit", "paused", *COUNTED, "last_sync", "failing_since", "error")
_COSTS = ("connection", "day", "source_requests", "embedding_requests", "tokens", "unanswered_tokens", "cost")
_DAYS = 7
"""So many are printed of each; `--json` has a month."""
_CONNECTIONS = ("connection", "units", *COUNTED)


def print_status(now: dict[str, Any], page: Page, json: bool) -> None:
    if json:
        connections = [one | {"units": page.of(one["units"], json)} for one in now["connections"]]
        print_json(now | {"connections": connections})
        return
    units = [_unit_row(connection, unit) for connection in now["connections"] for unit in connection["units"]]
    units.sort(key=lambda row: not (row["error"] or row["failed"]))  # by name within each
    print_table(_UNITS, page.of(units, json))
    print_rest(page, len(units), "units")
    if len(now["connections"]) > 1 or page.rest(len(units)) or page.number > 1:
        print_table(_CONNECTIONS, [_connection_row(one) for one in now["connections"]])
    if costs := list(_cost_rows(now)):
        print_table(_COSTS, costs)
    for line in _lines(now):
        open_console().print(printable(line), markup=False, highlight=False, soft_wrap=True)
    for one in page.of(now["troubled"], json):
        again = f", next attempt {readable(one['next_attempt'])}" if one["next_attempt"] else ""
        line = f"{one['status']}  {one['id']}: {one['reason']}{again}"
        open_console().print(plain(line), highlight=False, soft_wrap=True)
    print_rest(page, len(now["troubled"]), "documents in trouble")


def _cost_rows(now: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The last days of each connection, and of questions, which are none's."""
    named = [(one["id"], one["costs"]) for one in now["connections"]] + [("(questions)", now["questions"]["costs"])]
    for connection, costs in named:
        for day in costs["days"][:_DAYS]:
            shown = {"source_requests": day["requests"], "unanswered_tokens": day["unanswered_tokens"] or None}
            cost = f"${day['cost_usd']:.4f}" if day["cost_usd"] else None
            yield {"connection": connection, **day, **shown, "cost": cost}


def _unit_row(connection: dict[str, Any], unit: dict[str, Any]) -> dict[str, Any]:
    failing_since = readable(unit["failing_since"]) if unit["failing_since"] else None
    shown = {"connection": connection["id"], "unit": unit["name"], "last_sync": readable(unit["last_sync"])}
    return unit | shown | {"failing_since": failing_since, "paused": unit["paused"] or connection["paused"]}


def _connection_row(connection: dict[str, Any]) -> dict[str, Any]:
    return {"connection": connection["id"], "units": len(connection["units"]), **connection["totals"]}


def _lines(now: dict[str, Any]) -> Iterator[str]:
    """What there is to say beside figures."""
    for incident in now["health"]["incidents"]:
        yield f"trouble  {incident['line']}"
    for connection in now["connections"]:
        yield _freshness_line(connection)
        if budget := connection["costs"]["budget"]:
            yield f"budget  {connection['id']}: {budget['line']}"
        yield from (f"idle  {line}" for line in connection["idle_includes"])
        yield from map(_group_line, connection["unreadable_groups"])
        yield from refused_lines(map(_refused_part, connection["parts"]))
        for line in connection["out_of_reach"]:
            yield f"hidden  {line}"
    for unknown in now["unknown_connections"]:
        yield f"{unknown['id']}: {unknown['detail']}"
    yield _index_line(now["index"])


def _index_line(index: dict[str, Any]) -> str:
    return (
        f"index {index['collection']}: {index['documents']} documents, {index['points']} points, "
        f"{index['bytes'] / 1e6:.1f} MB, model {index['model']}"
    )


def _freshness_line(connection: dict[str, Any]) -> str:
    """How fresh a connection is, in one line."""
    said = [
        f"last sync {readable(connection['last_sync'])}" + (", late" if connection["late"] else ""),
        f"last event {readable(connection['last_event'])}",
        f"memberships {_age(connection['memberships_age_seconds'])}",
        f"{connection['waiting_events']} events waiting" if connection["waiting_events"] else "",
        "paused" if connection["paused"] else "",
    ]
    return f"{connection['id']}: {'; '.join(part for part in said if part)}"


def _refused_part(part: dict[str, Any]) -> RefusedPart:
    return RefusedPart(part["status"], part["part"], part["unit"], part["reason"], readable(part["since"]))


def _group_line(group: dict[str, Any]) -> str:
    effect = "" if group["counts"] else "; nobody belongs to it"
    name = group["name"] or group["group"]
    return f"unreadable  {name}: {group['reason']}; members {_age(group['age_seconds'])}{effect}"


def _age(seconds: float | None) -> str:
    return "never read" if seconds is None else f"read {seconds / 60:.0f} minutes ago"
