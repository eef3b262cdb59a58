"""`headrace init`: asks for sources and an embedding provider, writes settings and secrets, and says what is next."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from connectors.registry import Source, UnknownSource, source, sources
from pipelines.cli import output
from pipelines.cli.init.draft import OPENAI_KEY, Draft, as_value, token_variable
from pipelines.cli.init.files import require_new, write_new
from pipelines.cli.options import examples
from pipelines.errors import SettingsError, UsageError
from pipelines.printable import printable
from pipelines.settings import load_settings
from pipelines.settings_file import settings_file

app = typer.Typer()

_ADDRESS = "https://headrace.acme.com"
_PREFIX = re.compile(r"[a-z0-9][a-z0-9-]*")
_PROVIDERS = ("local", "openai")


@app.command(
    epilog=examples(
        "headrace init",
        "headrace init --source slack --source notion --name acme",
        "headrace init --source github --embedding openai --set github.include=acme/* --no-check",
    )
)
def init(
    source_names: Annotated[
        list[str] | None, typer.Option("--source", help="A source to connect; repeatable. Default: asked for")
    ] = None,
    name: Annotated[str | None, typer.Option(help="How the ids of connections begin; default: acme")] = None,
    embedding: Annotated[str | None, typer.Option(help="local (no key), or openai")] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", metavar="SOURCE.SETTING=VALUE", help="Of a connection; repeatable")
    ] = None,
    check: Annotated[bool, typer.Option(help="Try the settings at the end")] = True,
) -> None:
    """Write settings and secrets for your sources, and say what to do at each of them.

    Without --source all is asked for. Tokens are asked for at a terminal, and else taken from the environment
    (SLACK_TOKEN and so on).
    """
    file = settings_file()
    secrets, known = require_new(file)
    typing = sys.stdin.isatty()
    asking = typing and not source_names
    draft, given = Draft(), _parse_values(values or [])
    chosen = [_source(one) for one in source_names or (_ask_sources() if asking else [])]
    if not chosen:
        raise UsageError(f"--source: name at least one of {', '.join(sources())}")
    _require_fitting(chosen, given)
    prefix = _prefix(name, asking)
    for one in chosen:
        _connect(draft, one, f"{prefix}-{one.name}", given.get(one.name, {}), asking, typing)
    _choose_embedding(draft, embedding, asking, typing)
    draft.add_assistant()
    draft.check(file.parent, known)
    write_new(file, draft.as_yaml(), secrets, draft.variables)
    print(f"\n{file} and .env beside it are written; .env can be read by you alone")
    _finish(draft, check)


def _source(name: str) -> Source[Any]:
    try:
        return source(name)
    except UnknownSource as error:
        raise UsageError(f"--source: {error}") from None


def _parse_values(texts: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for text in texts:
        place, separator, value = text.partition("=")
        name, dot, setting = place.partition(".")
        if not (separator and dot and setting):
            raise UsageError(f"--set {text}: must be SOURCE.SETTING=VALUE, such as notion.readers=workspace")
        found.setdefault(_source(name).name, {})[setting] = value
    return found


def _require_fitting(chosen: Sequence[Source[Any]], given: Mapping[str, object]) -> None:
    names = [one.name for one in chosen]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"--source {name}: is there twice; add another account of it to the file, with its own id")
    for name in given:
        if name not in names:
            raise UsageError(f"--set {name}.…: {name} is none of the sources to connect")


def _prefix(name: str | None, asking: bool) -> str:
    while True:
        prefix = typer.prompt("How the ids of connections begin", default="acme") if asking and name is None else name
        prefix = "acme" if prefix is None else prefix
        if _PREFIX.fullmatch(prefix):
            return prefix
        reason = "must consist of a-z, 0-9 and -, and start with a letter or digit"
        if not asking or name is not None:
            raise UsageError(f"--name {prefix}: {reason}")
        print(f"{prefix!r} {reason}")


def _ask_sources() -> list[str]:
    return [one.name for one in sources().values() if typer.confirm(f"Read {one.label}?", default=False)]


def _connect(
    draft: Draft, one: Source[Any], connection: str, given: dict[str, str], asking: bool, typing: bool
) -> None:
    """What is `given` is not asked for; nor is anything but the token, unless `asking`."""
    _print_steps(one, connection)
    written = {**dict(one.setup.written), **given}
    asked = [setting for setting in written if setting not in given] if asking else []
    while True:
        written |= {setting: typer.prompt(_question(one, setting), default=written[setting]) for setting in asked}
        token = _secret(token_variable(one), typing)
        found = draft.connect(one, connection, token, {key: as_value(one, key, text) for key, text in written.items()})
        if not found:
            return
        mended = {*asked, "token"} if typing else set()
        if any(re.split(r"[.\[]", path)[0] not in mended for path, _ in found):
            (path, reason), *others = [(f"{connection}.{path}", reason) for path, reason in found]
            raise SettingsError(path, reason, others)
        for path, reason in found:
            print(f"{connection}.{path} {reason}")


def _secret(variable: str, typing: bool) -> str:
    """What is typed, unseen, or what the environment has; empty if it comes later."""
    known = os.environ.get(variable, "")
    if not typing:
        return known
    otherwise = "as in the environment" if known else "later"
    return str(typer.prompt(f"{variable} (Enter: {otherwise})", default=known, hide_input=True, show_default=False))


def _question(one: Source[Any], setting: str) -> str:
    described = one.settings.model_fields[setting].description
    return f"{setting}: {described}" if described else setting


def _print_steps(one: Source[Any], connection: str) -> None:
    guide = f" The guide: {one.setup.guide}" if one.setup.guide else ""
    print(f"\n{one.label}\n{one.setup.steps}{guide}")
    if manifest := one.setup.manifest_for(connection, _ADDRESS):
        print(f"\n{printable(manifest, keep=chr(10))}")


def _choose_embedding(draft: Draft, provider: str | None, asking: bool, typing: bool) -> None:
    if provider is None:
        question = "Embedding: local (no key, enough for some thousand documents), or openai"
        provider = typer.prompt(question, default="local") if asking else "local"
    if provider not in _PROVIDERS:
        raise UsageError(f"--embedding: must be one of {', '.join(_PROVIDERS)}; docs/embedding.md has others")
    draft.embed_with(provider, _secret(OPENAI_KEY, typing) if provider == "openai" else "")


def _finish(draft: Draft, check: bool) -> None:
    if draft.missing:
        print(f"Fill in {', '.join(draft.missing)} in .env. Then: headrace check")
        return
    if check:
        from pipelines.operations.connection_checks import check_all

        findings = check_all(load_settings())
        output.print_findings(findings, json=False)
        if not all(one.ok for one in findings):
            print("Mend what fails, and try it with: headrace check")
            raise typer.Exit(1)
    print("Next: headrace sync")
