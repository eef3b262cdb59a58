"""`headrace assistants`: keys made, listed and taken back without touching the settings or the running service."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from pipelines.cli import output
from pipelines.cli.options import Json, examples, parse_address
from pipelines.cli.tables import print_table
from pipelines.errors import UsageError
from pipelines.settings import AssistantSettings, Settings, load_settings
from pipelines.validation import first_problem

if TYPE_CHECKING:
    from pipelines.catalog.assistants import StoredAssistant

app = typer.Typer(name="assistants", help="Keys of assistants.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID")]
OptionalId = Annotated[str | None, typer.Argument(metavar="[ID]", help="With --for made of the address by itself")]
_OPTIONS = {
    "id": "ID",
    "identity": "--identity",
    "sources": "--source",
    "parents_in": "--parent",
    "readers": "--reader",
}


@app.command(
    epilog=examples("headrace assistants add support --source slack", "headrace assistants add --for ada@acme.com")
)
def add(
    id: OptionalId = None,
    person: Annotated[
        str | None, typer.Option("--for", help="The key of one person (e-mail), who finds what they may see themselves")
    ] = None,
    identity: Annotated[
        str, typer.Option(help="user: every request names a person; service: sees what --reader lists")
    ] = "user",
    reader: Annotated[list[str] | None, typer.Option(help="Reader token of a service; repeatable")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only this source; repeatable")] = None,
    parent: Annotated[list[str] | None, typer.Option(help="Only below this container; repeatable")] = None,
    json: Json = False,
) -> None:
    """Make an assistant, and show its key: once, here."""
    from pipelines.catalog import open_catalog
    from pipelines.catalog.assistants import new_key

    settings = load_settings()
    key = new_key()
    address = None if person is None else parse_address(person, "--for")
    added = _validate(settings, id or _id_of(address), key, identity, reader or [], source or [], parent or [])
    if address:
        added = _for_person(added, address)
    with open_catalog(settings) as catalog:
        catalog.assistants.add(added, key)
    if json:
        output.print_json({"assistant": asdict(added), "api_key": key})
    else:
        print(f"{added.id} is added. Its key is shown only now; Headrace keeps a hash of it:\n{key}")


@app.command("list", epilog=examples("headrace assistants list"))
def list_all(json: Json = False) -> None:
    """List the assistants: those in the settings, and those made by command."""
    from pipelines.catalog import open_catalog

    settings = load_settings()
    with open_catalog(settings) as catalog:
        made = [{"from": "command"} | asdict(one) for one in catalog.assistants.all()]
    rows = [_row(one) for one in settings.assistants] + made
    if json:
        output.print_json({"assistants": rows})
        return
    print_table(("id", "who", "limits", "state", "last_used", "from"), [_shown(row) for row in rows])


def _shown(row: dict[str, Any]) -> dict[str, str]:
    used = f"{row['last_used_at']:%Y-%m-%d %H:%M}" if row["last_used_at"] else "never"
    return {
        "id": row["id"],
        "who": row["person"] or row["identity"],
        "limits": ", ".join((*row["readers"], *row["sources"], *row["parents_in"])) or "none",
        "state": f"revoked {row['revoked_at']:%Y-%m-%d %H:%M}" if row["revoked_at"] else "in use",
        "last_used": used if row["from"] == "command" else "not kept",  # of keys in the settings
        "from": row["from"],
    }


@app.command(epilog=examples("headrace assistants revoke support"))
def revoke(id: Id, json: Json = False) -> None:
    """Take a key back. A running service refuses it from the next request on."""
    from pipelines.catalog import open_catalog

    settings = load_settings()
    if id in {one.id for one in settings.assistants}:
        raise UsageError(f"{id!r} is in the settings: remove it there, and restart the service")
    with open_catalog(settings) as catalog:
        revoked_at = catalog.assistants.revoke(id)
    if json:
        output.print_json({"id": id, "revoked_at": revoked_at})
    else:
        print(f"{id} is revoked")


def _validate(
    settings: Settings, id: str, key: str, identity: str, readers: list[str], sources: list[str], parents: list[str]
) -> StoredAssistant:
    """By the rules of the settings file. Raises UsageError naming the option that does not fit."""
    from pipelines.catalog.assistants import StoredAssistant

    if id in {one.id for one in settings.assistants}:
        raise UsageError(f"{id!r} is in the settings; choose another id")
    if readers and identity == "user":
        raise UsageError("--reader is for --identity service; an assistant for people sees what each person may see")
    values = {"id": id, "api_key": key, "identity": identity, "readers": readers}
    try:
        valid = AssistantSettings.model_validate({**values, "scope": {"sources": sources, "parents_in": parents}})
    except ValidationError as error:
        where, what = first_problem(error)
        option = next(option for name, option in _OPTIONS.items() if name in where.split("."))
        raise UsageError(f"{option}: {what}") from None
    scope = valid.scope
    return StoredAssistant(valid.id, valid.identity, valid.readers, scope.sources, scope.parents_in, datetime.now(UTC))


def _id_of(address: str | None) -> str:
    """`ada@example.com` becomes `ada-example-com`. Raises UsageError where there is no address."""
    if not address:
        raise UsageError("name the assistant: `headrace assistants add ID`; only --for makes an id of an address")
    return re.sub(r"[^a-z0-9]+", "-", address).strip("-")


def _for_person(added: StoredAssistant, address: str) -> StoredAssistant:
    """The key of one person. Raises UsageError for what only a service has."""
    if added.identity == "service":
        raise UsageError("--identity service: the key of a person is no service's; leave out one of the two")
    return replace(added, identity="person", person=address)


def _row(assistant: AssistantSettings) -> dict[str, Any]:
    return {
        "from": "settings",
        "id": assistant.id,
        "identity": assistant.identity,
        "readers": assistant.readers,
        "sources": assistant.scope.sources,
        "parents_in": assistant.scope.parents_in,
        "created_at": None,
        "revoked_at": None,
        "person": None,
        "last_used_at": None,
    }
