"""`headrace eval`, `headrace explain` and `headrace search` as typed, on an index of the local model."""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from connectors.connection import GitHubConnection
from connectors.model import Unit
from pipelines.cli.app import app
from pipelines.errors import UsageError
from pipelines.settings import load_settings
from pipelines.stages.publish import publish
from pipelines.sync import sync_unit
from pipelines.workspace import Workspace
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")
KEY = "github:acme/acme/api/issues/{}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with settings, questions and a published index of three documents."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "headrace.yaml").write_text("embedding: {provider: local}\n")
    texts = {
        1: "The penstock valve leaks, see ERR-4711.",
        2: "The turbine hums.",
        3: "Only for Ada: the penstock plan.",
    }
    source = MemorySource()
    for number, text in texts.items():
        readers = ("user:ada@example.com",) if number == 3 else ("public",)
        source.put(document(number, content=text, title=f"Note [{number}]", readers=readers))
    with Workspace(load_settings(folder / "headrace.yaml", {})) as workspace:
        workspace.catalog.units.discovered(CONNECTION.id, CONNECTION.source, [UNIT])
        sync_unit(workspace, CONNECTION, source, UNIT)
        publish(workspace)
    questions = [
        {"query": "ERR-4711", "documents": [KEY.format(1)]},
        {"query": "penstock plan", "documents": [KEY.format(3)], "user": "bo@example.com"},
    ]
    (folder / "questions.jsonl").write_text("\n".join(map(json.dumps, questions)))
    return folder


@pytest.fixture
def headrace(folder, monkeypatch):
    monkeypatch.setenv("HEADRACE_CONFIG", str(folder / "headrace.yaml"))

    def run(*arguments):
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output

    return run


def test_eval_measures_saves_and_compares(headrace, folder, tmp_path):
    questions = folder / "questions.jsonl"
    first = json.loads(headrace("eval", questions, "--mode", "lexical", "--save", tmp_path / "run.json", "--json"))
    assert (first["questions"], first["total"]["recall_at_10"]) == (2, 0.5)
    assert first["by_source"]["github"]["ndcg_at_10"] == 0.5
    assert [one["missing"] for one in first["worst"]] == [[KEY.format(3)]], "Bo may not see it"
    html = tmp_path / "report.html"
    shown = headrace("eval", questions, "--against", tmp_path / "run.json", "--html", html)
    assert "github" in shown
    assert "(+0.000)" in shown
    assert f"missing  {KEY.format(3)}" in shown
    assert "penstock plan" in html.read_text()


def test_eval_names_what_does_not_fit(headrace, folder, tmp_path):
    with pytest.raises(UsageError, match="--mode: 'magic' is none of hybrid"):
        headrace("eval", folder / "questions.jsonl", "--mode", "magic")
    with pytest.raises(UsageError, match="cannot be read"):
        headrace("eval", tmp_path / "none.jsonl")


def test_explain_says_where_a_document_is(headrace):
    found = json.loads(headrace("explain", KEY.format(3), "--user", "ada@example.com", "--query", "plan", "--json"))
    assert [stage["state"] for stage in found["stages"]] == ["done"] * 4
    assert (found["sight"]["sees"], [one["token"] for one in found["sight"]["through"]]) == (
        True,
        ["user:ada@example.com"],
    )
    assert [(one["rank"], one["lexical_rank"]) for one in found["ranks"]] == [(1, 1), (1, 1)]
    shown = headrace("explain", KEY.format(3), "--user", "bo@example.com", "--query", "plan")
    assert "Note [3]" in shown
    assert "bo@example.com does not see it" in shown
    assert "not among the first 100" in shown


def test_explain_refuses_what_is_unknown_or_no_question(headrace):
    with pytest.raises(UsageError, match="no connection has named"):
        headrace("explain", "https://example.com/none")
    with pytest.raises(UsageError, match="--query"):
        headrace("explain", KEY.format(1), "--query", " ")
