"""Settings: what is wrong with them is said in plain English, at its path in the file."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from connectors.github.settings import GitHubConnection
from pipelines.errors import SettingsError
from pipelines.settings import Settings, load_settings
from pipelines.settings_errors import problems

KEY = "t0ps3cret-and-long-enough"
ASSISTANT = f"{{id: a, api_key: {KEY}}}"
GITHUB = "{id: acme, source: github, token: t0ps3cret}"
SECRET = "connections[0].webhook_secret"


STRING = "must be a string: YAML reads this as"


def service(reader: str) -> str:
    return f"assistants: [{{id: a, api_key: {KEY}, identity: service, readers: ['{reader}']}}]"


def notion(reader: str) -> str:
    return f"connections: [{{id: acme, source: notion, token: t, readers: ['{reader}']}}]"


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    [
        ("connection: []", "connection", "unknown key; did you mean `connections`?"),
        ("qwertz: []", "qwertz", "unknown key"),
        (
            "embedding: {provider: openai, api_key: k, modell: m}",
            "embedding.modell",
            "unknown key; did you mean `model`?",
        ),
        ("index: {colection: k}", "index.colection", "unknown key; did you mean `collection`?"),
        (
            "connections: [{id: acme, source: notion, token: t, readers: [public], reader_by_page: {}}]",
            "connections[0].reader_by_page",
            "unknown key; did you mean `readers_by_page`?",
        ),
        ("connections:", "connections", "is empty"),
        ("index: {url: }", "index.url", "is empty"),
        ("connections: [{id: acme, source: slack, token: }]", "connections[0].token", "is empty"),
        ("connections: [{id: acme, source: slack, token: ' '}]", "connections[0].token", "is empty"),
        ("connections: [{id: no, source: slack, token: t}]", "connections[0].id", f"{STRING} a truth value"),
        (
            "connections: [{id: acme, source: slack, token: t, include: [general, no]}]",
            "connections[0].include[1]",
            f"{STRING} a truth value",
        ),
        ("connections: [{id: 2026-01-01, source: slack, token: t}]", "connections[0].id", f"{STRING} a date"),
        ("connections: [{id: acme, source: slack, token: 12}]", "connections[0].token", f"{STRING} a number"),
        ("connections: [{id: acme, source: jira, token: t}]", "connections[0].source", "unknown source 'jira' (inst"),
        ("logs: {format: xml}", "logs.format", "must be one of 'text' or 'json'"),
        *(
            (f"connections: [{GITHUB[:-1]}, base_url: '{url}'}}]", "connections[0].base_url", reason)
            for url, reason in (
                ("https://", "must be a URL with a host"),
                ("https://ghe.acme.com/api v3", "must be a URL with a host"),
                ("https://ghe.acme.com/api/v3?x=1", "must be a URL with a host"),
                ("https://ada:t0ps3cret@ghe.acme.com", "must have no user or password in it"),
                ("ghe.acme.com", "must start with http:// or https://"),
            )
        ),
        (
            f"connections: [{GITHUB[:-1]}, budget: {{tokens_per_day: true}}}}]",
            "connections[0].budget.tokens_per_day",
            "must be a whole number",
        ),
        ("index: embedded", "index", "must be a mapping"),
        ("index: {url: localhost}", "index.url", "must be `embedded`, or start with http:// or https://"),
        ("index: {collection: a b}", "index.collection", "must consist of letters, digits, - and _"),
        ("index: {shard_number: 0}", "index.shard_number", "must be greater than or equal to 1"),
        ("index: {shard_number: many}", "index.shard_number", "must be a whole number"),
        ("index: {shard_number: true}", "index.shard_number", "must be a whole number"),
        ("limits: {connections: false}", "limits.connections", "must be a whole number"),
        ("index: {quantization: half}", "index.quantization", "must be one of 'auto', 'none', 'scalar' or 'binary'"),
        ("landing: {url: /data}", "landing.url", "must start with file:// or s3://"),
        ("catalog: {url: 'mysql://x'}", "catalog.url", "must start with sqlite:/// or postgresql://"),
        *(
            (
                f"catalog: {{url: 'postgresql://ada:{password}@db.acme.com:5432/headrace'}}",
                "catalog.url",
                "must be postgresql://USER",
            )
            for password in ("p@t0ps3cret", "p@t0p:s3cret", "p@x/t0ps3cret")
        ),
        (
            "catalog: {url: 'postgresql://ada:t0ps3cret@db:s3cret/x'}",
            "catalog.url",
            "must be postgresql://USER:PASSWORD",
        ),
        ("landing: {url: 's3://b/p', endpoint_url: '127.0.0.1:9'}", "landing.endpoint_url", "must start with http://"),
        ("runs: {executor: celery, broker: 'redis:/x'}", "runs.broker", "must be a URL that Celery knows"),
        ("embedding: {}", "embedding.provider", "is missing"),
        ("embedding: {provider: cohere}", "embedding.provider", "must be one of 'local', 'openai'"),
        ("embedding: {provider: openai}", "embedding.api_key", "is missing: neither OpenAI nor Azure takes"),
        (
            "embedding: {provider: openai, base_url: 'https://acme.openai.azure.com/openai', api_version: 2024-10-21}",
            "embedding.api_key",
            "is missing: neither OpenAI nor Azure takes",
        ),
        (
            "embedding: {provider: openai, api_key: k, max_inputs: 0}",
            "embedding.max_inputs",
            "must be greater than or equal to 1",
        ),
        ("embedding: {provider: local, model: x}", "embedding.model", "must be one of 'english' or 'multilingual'"),
        ("state_dir: []", "state_dir", "must be a path"),
        ("assistants: {a: b}", "assistants", "must be a list"),
        (
            "assistants: [{id: -a, api_key: k}]",
            "assistants[0].id",
            "must consist of a-z, 0-9 and -, and start with a letter or digit",
        ),
        ("assistants: [{id: a, api_key: k, readers: [1]}]", "assistants[0].readers[0]", "must be a string"),
        ("reranker: {base_url: jina, model: m}", "reranker.base_url", "must start with http:// or https://"),
        ("memberships_max_age: 24", "memberships_max_age", "must be a number of days, hours or minutes, such as 2d"),
        ("memberships_max_age: 1w", "memberships_max_age", "must be a number of days, hours or minutes, such as 2d"),
        ("memberships_max_age: 0h", "memberships_max_age", "must be greater than 0"),
        ("golden: {file: q, recall_at_10: high}", "golden.recall_at_10", "must be a number"),
        ("connections: [acme]", "connections[0]", "must be a mapping"),
        ("connections: [{id: acme, source: github, tokn: t}]", "connections[0].tokn", "unknown key"),
        (f"connections: [{GITHUB}, {GITHUB}]", "connections[1].id", "duplicate id 'acme': connections[0] has it too"),
        ("index: {url: '${NOWHERE}'}", "index.url", "the environment variable NOWHERE is not set"),
        ("assistants: [{id: a, api_key: '${NOWHERE}'}]", "assistants[0].api_key", "the environment variable NOWHERE"),
        (f"assistants: [{ASSISTANT}, {{id: b, api_key: t0ps3cret}}]", "assistants[1].api_key", "must have at least 20"),
        (f"assistants: [{ASSISTANT}, {{id: b, api_key: ''}}]", "assistants[1].api_key", "must have at least 20"),
        (f"assistants: [{ASSISTANT}, {{id: b, api_key: {KEY}}}]", "assistants[1].api_key", "is the key of the"),
        (f"assistants: [{{id: sign-in, api_key: {KEY}}}]", "assistants[0].id", "is reserved"),
        (f"metrics: {{key: {KEY}}}\nassistants: [{ASSISTANT}]", "metrics.key", "is the key of 'a' too"),
        (f"operator_key: {KEY}\nassistants: [{ASSISTANT}]", "operator_key", "is the key of 'a' too"),
        (f"operator_key: {KEY}\nmetrics: {{key: {KEY}}}", "operator_key", "is the key of 'metrics.key' too"),
        ("operator_key: short", "operator_key", "must have at least 20 characters"),
        ("metrics: {key: short}", "metrics.key", "must have at least 20 characters, chosen by chance"),
        (
            "landing: {url: 's3://ada:t0ps3cret@b/p'}",
            "landing.url",
            "must be s3://BUCKET/PREFIX; credentials come from",
        ),
        ("public_url: https://a.test/?x", "public_url", "must be a URL without query and fragment"),
        (f"connections: [{GITHUB[:-1]}, webhook_secret: a}}]", SECRET, "must have at least 12 characters, chosen by"),
        ("limits: {trusted_proxies: [nope]}", "limits.trusted_proxies[0]", "must be an IP address or a network"),
        (
            "limits: {trusted_proxies: ['10.0.0.1/8']}",
            "limits.trusted_proxies[0]",
            "must be an IP address or a network",
        ),
        (service("ada@x.de"), "assistants[0].readers[0]", "must be public, user:<e-mail address> or group:<conn"),
        (service("user:ada"), "assistants[0].readers[0]", "must be public, user:<e-mail address> or group:<conn"),
        (service("group:acme"), "assistants[0].readers[0]", "must be public, user:<e-mail address> or group:<conn"),
        (notion("user:ada@x.de"), "connections[0].readers[0]", "must be workspace, public or an e-mail address"),
        (notion("nobody"), "connections[0].readers[0]", "must be workspace, public or an e-mail address"),
        ("audit: {file: []}", "audit.file", "must be a path"),
        *(
            (
                f"connections: [{GITHUB[:-1]}, {one}: '{cron}'}}]",
                f"connections[0].{one}",
                "must be a cron schedule of five",
            )
            for one in ("schedule", "reconcile_schedule", "memberships_schedule")
            for cron in ("61 * * * *", "every day", "", "0 0 * * * *", "0 0 15W * *")
        ),
        *(
            (
                f"connections: [{GITHUB[:-1]}, schedule: '{cron}'}}]",
                "connections[0].schedule",
                "must be a cron schedule whose dates exist",
            )
            for cron in ("0 0 31 2 *", "0 0 30 2 *", "0 0 30,31 2 *", "0 0 31 4,6 *", "0 0 31 2 mon")
        ),
    ],
)
def test_a_wrong_setting_is_named_at_its_path(tmp_path: Path, text: str, path: str, reason: str) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError) as raised:
        load_settings(file, {})
    assert str(raised.value).startswith(f"{path}: {reason}")
    assert "t0ps3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"- a", "must be a mapping of settings"), (b"a: [", "not valid YAML"), (b"\xff\xfe\xff", "not valid YAML")],
)
def test_a_file_that_is_no_mapping_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_bytes(content)
    with pytest.raises(SettingsError) as raised:
        load_settings(file, {})
    assert str(raised.value).startswith(f"{file}: {reason}")


def test_variables_come_from_the_environment_then_from_the_file_beside_it_then_from_the_default(tmp_path: Path) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text("index: {url: '${A}', collection: '${B:-b}'}\nstate_dir: '${C}'")
    (tmp_path / ".env").write_text("A=http://file\nC=kept")
    settings = load_settings(file, {"A": "http://environment"})
    assert (settings.index.url, settings.index.collection) == ("http://environment", "b")
    assert settings.state_path == tmp_path / "kept"


def test_an_error_of_another_kind_keeps_its_words() -> None:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(set[int]).validate_python("perhaps")
    assert problems(raised.value, Settings, {}) == [("", "must be a valid set")]


@pytest.mark.parametrize(
    ("text", "hours"),
    [("", 24), ("memberships_max_age: 90m", 1.5), ("memberships_max_age: 2d", 48), ("memberships_max_age: ' 8h '", 8)],
)
def test_how_long_memberships_count(tmp_path: Path, text: str, hours: float) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text(text)
    assert load_settings(file, {}).memberships_max_age == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("user:Ada@X.de", "user:ada@x.de"),
        ("public", "public"),
        ("group:acme-slack:C1", "group:acme-slack:C1"),
    ],
)
def test_readers_are_spelled_as_documents_bear_them(tmp_path: Path, written: str, meant: str) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text(service(written))
    assert load_settings(file, {}).assistants[0].readers == (meant,)


def test_an_empty_secret_takes_no_webhooks(tmp_path: Path) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text(f"connections: [{GITHUB[:-1]}, webhook_secret: ''}}]")
    assert load_settings(file, {}).connections[0].id == "acme"


def test_the_demo_has_a_short_key(tmp_path: Path) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text("assistants: [{id: demo, api_key: demo}]")
    assert load_settings(file, {}).assistants[0].id == "demo"


def test_the_file_of_the_audit_log_is_beside_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text("audit: {file: audit.jsonl}")
    assert load_settings(file, {}).audit_file == tmp_path / "audit.jsonl"


PARTITION = "partition: {provider: unstructured, url: 'http://127.0.0.1:1'}"


@pytest.mark.parametrize(
    ("text", "reads_pictures"),
    [
        (f"connections: [{GITHUB}]", False),
        (f"{PARTITION}\nconnections: [{GITHUB}]", True),
        (f"connections: [{GITHUB}]\n{PARTITION}", True),
    ],
)
def test_connections_hand_on_pictures_where_there_is_an_api_that_reads_them(
    text: str, reads_pictures: bool, tmp_path: Path
) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text(text)
    (connection,) = load_settings(file, {}).connections
    assert connection.reads_pictures is reads_pictures
    assert (connection == connection.with_pictures()) is reads_pictures


@pytest.mark.parametrize("name", ["reads_pictures", "_reads_pictures"])
def test_that_pictures_are_read_is_no_setting_of_a_connection(name: str, tmp_path: Path) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text(f"connections: [{{id: acme, source: github, token: t, {name}: true}}]")
    with pytest.raises(SettingsError, match="unknown key"):
        load_settings(file, {})


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text(
        "index: {shard_number: 0}\nconnections: [{id: acme, source: slack, token: t, schedule: hourly}, {id: b}]"
    )
    with pytest.raises(SettingsError) as raised:
        load_settings(file, {})
    assert [path for path, _ in raised.value.problems] == [
        "index.shard_number",
        "connections[0].schedule",
        "connections[1].source",
    ]
    assert str(raised.value).count("\n") == 2


def test_every_variable_that_is_missing_is_named(tmp_path: Path) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text("index: {url: '${A}', collection: '${B}'}\nstate_dir: 'x${C}'\nlanding: {url: '${D:-file://l}'}")
    with pytest.raises(SettingsError) as raised:
        load_settings(file, {"B": "", "C": "kept"})
    assert raised.value.problems == (
        ("index.url", "the environment variable A is not set"),
        ("index.collection", "the environment variable B is empty"),
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("index: {}\nindex: {}", "the key 'index' is there twice in line 2, column 1"),
        ("index:\n\turl: embedded", "found character '\\t' that cannot start any token in line 2, column 1"),
        ("token: 't0ps3cret", "found unexpected end of stream in line 1, column 18"),
    ],
)
def test_where_yaml_is_broken_is_said_in_one_line_without_what_stands_there(
    tmp_path: Path, content: str, reason: str
) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text(content)
    with pytest.raises(SettingsError) as raised:
        load_settings(file, {})
    assert str(raised.value) == f"{file}: not valid YAML: {reason}"


def test_all_keys_that_are_there_twice_are_named(tmp_path: Path) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text("index: {url: a, url: b}\nindex: {}\nstate_dir: a\nstate_dir: b\n")
    with pytest.raises(SettingsError) as raised:
        load_settings(file, {})
    named = [("'url'", 1, 17), ("'index'", 2, 1), ("'state_dir'", 4, 1)]
    said = (
        f"not valid YAML: the key {key} is there twice in line {line}, column {column}" for key, line, column in named
    )
    assert [reason for _, reason in raised.value.problems] == list(said)


def test_a_folder_is_no_file_of_settings(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load_settings(tmp_path, {})


def test_merged_keys_may_be_overridden(tmp_path: Path) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text("connections:\n- &first {id: a, source: slack, token: t}\n- {<<: *first, id: b}\n")
    assert [one.id for one in load_settings(file, {}).connections] == ["a", "b"]


OAUTH_CLIENT = '{"installed": {"client_id": "c"}}'
ELSEWHERE = "is a token of"


@pytest.mark.parametrize(
    ("source", "token", "reason"),
    [
        ("slack", "xapp-1-A-t0ps3cret", "is an app-level token"),
        ("slack", "xoxe-1-t0ps3cret", "is a refresh token"),
        ("slack", "xoxc-t0ps3cret", "is the token of a browser's session"),
        ("slack", "Bearer xoxb-t0ps3cret", "begins with `Bearer`"),
        ("slack", '"xoxb-t0ps3cret"', "has quotation marks around it"),
        ("slack", "xoxb-t0ps3cret xoxb", "has white space or other characters inside"),
        ("slack", "xoxb-t0ps3cret…", "has white space or other characters inside"),
        ("slack", "xoxb-t0ps\n3cret", "has white space or other characters inside"),
        ("slack", "ghp_t0ps3cret", f"{ELSEWHERE} GitHub, and the source is slack"),
        ("slack", "ntn_t0ps3cret", f"{ELSEWHERE} Notion, and the source is slack"),
        ("github", "ghr_t0ps3cret", "is a refresh token"),
        ("github", "ghs_t0ps3cret", "is the token of an app's installation"),
        ("github", "-----BEGIN RSA PRIVATE KEY-----", "is a private key"),
        ("github", "xoxb-t0ps3cret", f"{ELSEWHERE} Slack, and the source is github"),
        ("notion", "v02:user_token_or_cookies:t0ps3cret", "is the cookie of a browser's session"),
        ("notion", "github_pat_t0ps3cret", f"{ELSEWHERE} GitHub, and the source is notion"),
        ("drive", "AIzat0ps3cret", "is an API key"),
        ("drive", "GOCSPX-t0ps3cret", "is the secret of an OAuth client"),
        ("drive", "1//t0ps3cret", "is a refresh token alone"),
        ("drive", OAUTH_CLIENT, "is the file of an OAuth client"),
        ("drive", '{"type": "service_account", "private_key": "t0ps3cret', "begins as JSON and is none"),
        ("drive", "missing.json", "is the path of a file that cannot be read: No such file"),
        ("drive", "/nowhere/key", "is the path of a file that cannot be read: No such file"),
    ],
)
def test_a_token_of_the_wrong_kind_is_told_by_its_form(tmp_path: Path, source: str, token: str, reason: str) -> None:
    with pytest.raises(SettingsError) as raised:
        connect_with(tmp_path, source, token)
    assert str(raised.value).startswith(f"connections[0].token: {reason}")
    assert "t0ps3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("source", "token"),
    [
        *(("slack", one) for one in ("xoxb-1-2-a", "xoxp-1", "xoxe.xoxb-1-a", "a-proxy's-key")),
        *(("github", one) for one in ("ghp_a", "github_pat_a", "gho_a", "ghu_a", "0123456789abcdef")),
        *(("notion", one) for one in ("ntn_a", "secret_a", " ntn_a\n")),
        *(
            ("drive", one)
            for one in ("ya29.a", '{"type": "service_account"}', '{"refresh_token": "1//a"}', "eyJh.e30.a")
        ),
    ],
)
def test_tokens_of_the_right_kind_and_of_none_that_is_known_are_taken(tmp_path: Path, source: str, token: str) -> None:
    assert connect_with(tmp_path, source, token) == token.strip()


@pytest.mark.parametrize("written", ["keys/google.json", "./keys/google.json", "{folder}/keys/google.json"])
def test_a_key_of_google_may_be_the_path_of_its_file_beside_the_settings(tmp_path: Path, written: str) -> None:
    key = '{"type": "service_account",\n "private_key": "-----BEGIN"}'
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "google.json").write_text(f"\ufeff{key}\n", encoding="utf-8")
    assert connect_with(tmp_path, "drive", written.format(folder=tmp_path)) == key


def test_the_private_key_of_an_app_may_be_the_path_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "app.pem").write_text("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\n")
    file = tmp_path / "headrace.yaml"
    file.write_text("connections: [{id: acme, source: github, app_id: 1, installation_id: 2, private_key: app.pem}]")
    (connection,) = load_settings(file, {}).connections
    assert isinstance(connection, GitHubConnection)
    assert connection.private_key
    assert connection.private_key.get_secret_value().startswith("-----BEGIN RSA PRIVATE KEY-----\nabc")


def connect_with(folder: Path, source: str, token: str) -> str:
    file = folder / "headrace.yaml"
    readers = ", readers: [public]" if source == "notion" else ""
    file.write_text(f"connections: [{{id: acme, source: {source}, token: '${{TOKEN}}'{readers}}}]")
    return load_settings(file, {"TOKEN": token}).connections[0].token.get_secret_value()


@pytest.mark.parametrize(
    "written",
    [
        "$TOKEN",
        "${TOKEN",
        "${the-token}",
        "${TOKEN:?x}",
        "${A B}",
        "{TOKEN}",
        "{{ TOKEN }}",
        "%TOKEN%",
        "Bearer ${TO-KEN}",
    ],
)
@pytest.mark.parametrize("place", ["operator_key", "connections[0].token", "assistants[0].api_key"])
def test_what_was_meant_as_a_variable_is_no_value(tmp_path: Path, written: str, place: str) -> None:
    texts = {
        "operator_key": f"operator_key: '{written}'",
        "connections[0].token": f"connections: [{{id: a, source: github, token: '{written}'}}]",
        "assistants[0].api_key": f"assistants: [{{id: a, api_key: '{written}'}}]",
    }
    file = tmp_path / "headrace.yaml"
    file.write_text(texts[place])
    with pytest.raises(SettingsError) as raised:
        load_settings(file, environment={"TOKEN": KEY})
    assert raised.value.path == place
    assert "looks as if a variable was meant" in str(raised.value)


def test_a_dollar_in_a_variable_is_part_of_its_value(tmp_path: Path) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text("operator_key: ${KEY}")
    key = load_settings(file, environment={"KEY": "$even this one${ here"}).operator_key
    assert key
    assert key.get_secret_value() == "$even this one${ here"


def test_all_is_said_at_once_whatever_kind_it_is_of(tmp_path: Path) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text(
        """
connections:
  - {id: a, source: github, token: "${NOWHERE}", schedule: "* * * *"}
  - {id: a, source: jira, token: x}
  - {id: c, source: github, token: t, webhook_secret: short, base_url: "https://api.acme.com:99999"}
assistants: [{id: one, api_key: short}]
operator_key: short
retention: {events_days: -1}
index: {url: "https://"}
"""
    )
    with pytest.raises(SettingsError) as raised:
        load_settings(file, environment={})
    assert {path for path, _ in raised.value.problems} == {
        "connections[0].token",
        "connections[0].schedule",
        "connections[1].id",
        "connections[1].source",
        "connections[2].webhook_secret",
        "connections[2].base_url",
        "assistants[0].api_key",
        "operator_key",
        "retention.events_days",
        "index.url",
    }


ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n" for before, after in pairwise("abcdefg")
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "operator_key: {{ KEY }}",
            "not valid YAML: a value that begins with { or [ needs quotes in line 1",
        ),
        ("[a]: b", "not valid YAML: a value that begins with { or [ needs quotes"),
        ("a: &a {b: *a}", "holds more than 100,000 values, or some below more than 50 others"),
        (f"a: {'[' * 3_000}{']' * 3_000}", "holds more than 100,000 values, or some below more than 50 others"),
        (ALIASES, "holds more than 100,000 values, or some below more than 50 others"),
        (f"a: {'x' * 1_000_000}", "has more than 1,000,000 bytes: these are hardly settings"),
    ],
)
def test_a_file_that_is_hardly_settings_is_refused_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError) as raised:
        load_settings(file, environment={})
    assert str(raised.value).startswith(f"{file}: {reason}")


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    file = tmp_path / "headrace.yaml"
    file.write_text(f"operator_key: {KEY}", encoding="utf-8-sig")
    assert load_settings(file, environment={}).operator_key


@pytest.mark.parametrize("password", ["p/s", "p#s", "p?s", "p[s", "p:s", "p%40s", "p%s", "p s"])
def test_passwords_of_the_database_may_hold_all_but_the_sign_before_its_host(tmp_path: Path, password: str) -> None:
    url = f"postgresql://ada:{password}@db.acme.com:5432/headrace"
    (tmp_path / "headrace.yaml").write_text(f"catalog: {{url: '{url}'}}")
    assert load_settings(tmp_path / "headrace.yaml", {}).catalog.url.get_secret_value() == url
