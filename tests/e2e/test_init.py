"""`headrace init`: from nothing to settings that a sync runs with, without a terminal and on one."""

from __future__ import annotations

import os
import pty
import select
import stat
import subprocess
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values

from pipelines.settings import load_settings
from tests.e2e.conftest import Folder
from tests.emulators.company import bundled_records, connections, free_port, served
from tests.paths import ROOT

ENTER = "\n"
SECRET = "NOTION_TOKEN"


@pytest.fixture
def empty(folder: Folder) -> Folder:
    (folder.path / "headrace.yaml").unlink(missing_ok=True)
    return folder


@pytest.mark.slow
def test_a_company_is_connected_without_a_terminal(empty: Folder, tmp_path: Path) -> None:
    with served(bundled_records(), tmp_path / "sources", free_port()) as url:
        _connect_company(empty, url)


def _connect_company(empty: Folder, company: str) -> None:
    urls = {one["source"]: one["base_url"] for one in connections(company)}
    token = connections(company)[0]["token"]
    names = {"slack": "SLACK_TOKEN", "notion": "NOTION_TOKEN", "github": "GITHUB_TOKEN", "drive": "GOOGLE_TOKEN"}
    arguments = [part for name in names for part in ("--source", name, "--set", f"{name}.base_url={urls[name]}")]
    ran = empty.headrace("init", *arguments, "--name", "mill", **dict.fromkeys(names.values(), token))
    assert "ok    mill-slack: " in ran.output
    assert stat.S_IMODE((empty.path / ".env").stat().st_mode) == 0o600
    settings = load_settings(empty.path / "headrace.yaml", {})
    assert [one.id for one in settings.connections] == ["mill-slack", "mill-notion", "mill-github", "mill-drive"]
    assert token not in (empty.path / "headrace.yaml").read_text()
    assert empty.headrace("sync", "mill-slack").code == 0
    assert empty.headrace("status", "--json").json["connections"][0]["totals"]["indexed"] > 0


def test_what_is_to_be_pasted_names_the_connection(empty: Folder) -> None:
    ran = empty.headrace("init", "--source", "slack", "--source", "github", "--name", "mill", "--no-check")
    assert (ran.code, ran.errors) == (0, "")
    assert "request_url: https://headrace.acme.com/webhooks/mill-slack" in ran.output
    assert '"url": "https://headrace.acme.com/webhooks/mill-github"' in ran.output
    assert ran.output.splitlines()[-1] == "Fill in SLACK_TOKEN, GITHUB_TOKEN in .env. Then: headrace check"
    assert set(dotenv_values(empty.path / ".env")) == {"SLACK_TOKEN", "GITHUB_TOKEN", "INCIDENT_RESPONDER_KEY"}
    assert len(dotenv_values(empty.path / ".env")["INCIDENT_RESPONDER_KEY"] or "") >= 20


def test_what_is_there_is_kept(empty: Folder) -> None:
    (empty.path / ".env").write_text("SLACK_TOKEN=mine\nOTHER=x\n")
    assert empty.headrace("init", "--source", "slack", "--no-check").code == 0
    kept = dotenv_values(empty.path / ".env")
    assert (kept["SLACK_TOKEN"], kept["OTHER"]) == ("mine", "x")
    before = (empty.path / "headrace.yaml").read_text()
    again = empty.headrace("init", "--source", "slack")
    assert (again.code, "exists; change it, or move it away first" in again.errors) == (2, True)
    assert (empty.path / "headrace.yaml").read_text() == before


@pytest.mark.parametrize(
    ("arguments", "token", "said"),
    [
        ((), "", "--source: name at least one of drive, github, notion, push, slack"),
        (("--source", "jira"), "", "--source: unknown source 'jira'"),
        (
            ("--source", "slack", "--set", "slack.inclde=a"),
            "t",
            "acme-slack.inclde: unknown key; did you mean `include`?",
        ),
        (("--source", "slack", "--set", "include=a"), "", "must be SOURCE.SETTING=VALUE"),
        (("--source", "slack", "--embedding", "cohere"), "", "--embedding: must be one of local, openai"),
        (("--source", "slack"), "xapp-1", "acme-slack.token: is an app-level token"),
        (("--source", "slack", "--name", "Acme Inc"), "", "--name Acme Inc: must consist of a-z, 0-9 and -"),
        (("--source", "slack", "--name", ""), "", "--name : must consist of a-z, 0-9 and -"),
        (("--source", "slack", "--set", "slack.schedule=* * * *"), "", "acme-slack.schedule: must be a cron schedule"),
        (("--source", "slack", "--set", "slack.inclde=a"), "", "acme-slack.inclde: unknown key"),
        (("--source", "notion", "--set", "notion.readers=[a@b.c, d@e.f]"), "", "acme-notion.readers"),
        (("--source", "slack", "--source", "slack"), "", "--source slack: is there twice"),
        (("--source", "slack", "--set", "notion.readers=public"), "", "notion is none of the sources to connect"),
        (("--source", "slack", "--set", "slack.include=${CHANNELS}"), "", "connections[0].include[0]: the environment"),
        (
            ("--source", "slack", "--source", "notion", "--set", "slack.id=a", "--set", "notion.id=a"),
            "",
            "connections[1].id: duplicate id 'a'",
        ),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_written(
    empty: Folder, arguments: tuple[str, ...], token: str, said: str
) -> None:
    ran = empty.headrace("init", *arguments, SLACK_TOKEN=token)
    assert (ran.code, said in ran.errors) == (2, True), ran.errors
    assert not (empty.path / "headrace.yaml").exists()


def test_a_file_of_secrets_that_cannot_be_used_is_told_before_anything_is_written(empty: Folder) -> None:
    secrets = empty.path / ".env"
    for content, said in (
        (b"NAME=h\xe9\n", "cannot be read: it is not UTF-8"),
        (b"\nNAME: x\n", "line 2 is not NAME="),
    ):
        secrets.write_bytes(content)
        for command in (("init", "--source", "slack", "--no-check"), ("check",), ("status",)):
            if command[0] != "init":
                empty.settings(connections=[])
            ran = empty.headrace(*command)
            assert (ran.code, ran.errors.count("\n")) == (2, 1), ran
            assert ran.errors.startswith(f"error: {secrets}: {said}")
        assert said in empty.headrace("check", "--json").json["findings"][0]["detail"]
        (empty.path / "headrace.yaml").unlink()
    secrets.unlink()
    secrets.mkdir()
    ran = empty.headrace("init", "--source", "slack", "--no-check")
    assert (ran.code, ran.errors.count("\n"), "is a folder" in ran.errors) == (2, 1, True)
    assert not (empty.path / "headrace.yaml").exists()


def test_secrets_elsewhere_stay_where_a_link_says(empty: Folder) -> None:
    elsewhere = empty.path / "shared"
    elsewhere.write_text("OTHER=x\n")
    (empty.path / ".env").symlink_to(elsewhere)
    assert empty.headrace("init", "--source", "slack", "--no-check", SLACK_TOKEN="xoxb-1").code == 0
    assert (empty.path / ".env").is_symlink()
    assert dotenv_values(elsewhere)["SLACK_TOKEN"] == "xoxb-1"
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600


def test_a_shell_has_the_key_that_the_readme_names_and_tokens_as_they_were_given(empty: Folder) -> None:
    token = "xoxb-a'b"
    assert empty.headrace("init", "--source", "slack", "--no-check", SLACK_TOKEN=token).code == 0
    script = '. ./.env; printf "%s %s" "$SLACK_TOKEN" "$INCIDENT_RESPONDER_KEY"'
    read = subprocess.run(["sh", "-euc", script], cwd=empty.path, capture_output=True, text=True, env={})
    (assistant,) = load_settings(empty.path / "headrace.yaml", {}).assistants
    assert read.stdout == f"{token} {assistant.api_key.get_secret_value()}"
    assert assistant.id in (ROOT / "README.md").read_text()


@pytest.mark.slow
def test_on_a_terminal_it_asks_and_asks_again(tmp_path: Path) -> None:
    said = converse(
        tmp_path,
        [
            ("Read Google Drive?", "n"),
            ("Read GitHub?", "n"),
            ("Read Notion?", "y"),
            ("Read Pushed documents?", "n"),
            ("Read Slack?", "n"),
            ("How the ids of connections begin", "Mill Inc"),
            ("must consist of a-z", ""),
            ("How the ids of connections begin", "mill"),
            ("readers:", ENTER),
            (SECRET, "xoxb-wrong "),
            ("readers:", "ada"),
            (SECRET, "ntn_right"),
            ("must be workspace, public or an e-mail address", ""),
            ("readers:", "ada@mill.test, bo@mill.test"),
            (SECRET, ENTER),
            ("Embedding", ENTER),
            ("Fill in NOTION_TOKEN", ""),
        ],
    )
    assert "ntn_right" not in said, "what is secret is not shown while it is typed"
    (connection,) = yaml.safe_load((tmp_path / "headrace.yaml").read_text())["connections"]
    assert (connection["id"], connection["readers"]) == ("mill-notion", ["ada@mill.test", "bo@mill.test"])


def test_on_a_terminal_the_tokens_of_named_sources_are_asked_for_and_nothing_else(tmp_path: Path) -> None:
    said = converse(
        tmp_path,
        [(SECRET, "xoxb-wrong"), ("acme-notion.token", ""), (SECRET, "ntn_right"), ("are written", "")],
        "--source",
        "notion",
        "--set",
        "notion.base_url=http://127.0.0.1:9",
    )
    assert "The guide: docs/sources/notion.md" in said
    assert dotenv_values(tmp_path / ".env")[SECRET] == "ntn_right"


def converse(folder: Path, lines: list[tuple[str, str]], *arguments: str) -> str:
    """Runs it on a terminal, and types each answer once what is asked has been printed; all that was printed."""
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(folder)
        command = [sys.executable, "-c", "from pipelines.cli import main; main()", "init", "--no-check", *arguments]
        os.execv(sys.executable, command)
    printed, seen = "", 0
    for question, answer in lines:
        deadline = time.monotonic() + 60
        while question not in printed[seen:]:
            assert time.monotonic() < deadline, printed
            if select.select([terminal], [], [], 1)[0]:
                printed += os.read(terminal, 65_536).decode(errors="replace")
        seen = printed.index(question, seen) + len(question)
        while question == SECRET and termios.tcgetattr(terminal)[3] & termios.ECHO:
            time.sleep(0.01)  # what is typed before a secret is asked for is thrown away
        if answer:
            os.write(terminal, answer.rstrip("\n").encode() + b"\n")
    with suppress(OSError):  # the terminal is closed once the command has ended
        while rest := os.read(terminal, 65_536):
            printed += rest.decode(errors="replace")
    os.waitpid(pid, 0)
    return printed
