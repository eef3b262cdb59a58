"""The landing on a local disk and in S3: what is written comes back, whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import dlt
import pyarrow.parquet as pq
import pytest

from connectors.contract import Deleted
from connectors.tables import Row, documents_schema
from pipelines.chunking import chunk_document
from pipelines.errors import LandingUnavailable
from pipelines.landing import ChunkedDocument, Landing
from pipelines.landing.chunk_rows import chunk_table
from pipelines.landing.pushed_bodies import PushedBodies
from pipelines.operations.place_checks import check_places
from pipelines.services import Services
from pipelines.settings import LandingSettings, Settings
from tests.pipelines.chunking.files import PDF, pdf
from tests.pipelines.documents import document
from tests.quick_loads import write_documents

BUCKET = "headrace-landing"


@pytest.fixture(scope="module")
def whole_landing() -> bool:
    return True


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["disk", "s3"])
def landing(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Landing:
    if request.param == "disk":
        return Landing(Settings(directory=tmp_path))
    import boto3

    url = request.getfixturevalue("s3")
    for name, value in {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "s", "DEFAULT_REGION": "eu-central-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    region = {"LocationConstraint": "eu-central-1"}
    bucket = f"{BUCKET}-{abs(hash(tmp_path)) % 10**8}"
    boto3.client("s3", endpoint_url=url).create_bucket(Bucket=bucket, CreateBucketConfiguration=region)
    settings = LandingSettings(url=f"s3://{bucket}/prefix", endpoint_url=url)
    return Landing(Settings(directory=tmp_path, landing=settings))


def test_what_is_tried_leaves_nothing(landing: Landing) -> None:
    landing.files.try_out()
    assert list(landing.files.list("")) == []


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", ""])
def test_a_bucket_that_is_not_there_is_found_out_and_made(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    for name, value in {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "s", "DEFAULT_REGION": region}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    settings = LandingSettings(url=f"s3://made-{region or 'anywhere'}/prefix", endpoint_url=s3)
    with Services(Settings(directory=tmp_path, landing=settings)) as services:
        assert failing(services) == [
            f"landing.url: there is no bucket made-{region or 'anywhere'}: make it, or let `headrace migrate` do so"
        ]
        services.landing.files.create_bucket()
        services.landing.files.create_bucket()
        assert failing(services) == []


def failing(services: Services) -> list[str]:
    return [f"{one.subject}: {one.detail}" for one in check_places(services) if not one.ok]


def test_documents_come_back_as_they_were(landing: Landing) -> None:
    documents = [
        document(1),
        document(2, content=b"%PDF \0\xff", content_type="application/pdf", author="", created_at=None),
        document(3, content="Größe 水 \U0001f30a", readers=(), tags=(), parents=()),
    ]
    gone = Deleted("github:acme/gone")
    path = landing.write_documents("github", "acme-github", "acme/api #1", [*documents, gone])
    assert list(landing.read_documents(path)) == [*((one, one.version) for one in documents), (gone, None)]


def test_a_load_has_the_columns_that_any_dlt_user_gets(tmp_path: Path) -> None:
    landing = Landing(Settings(directory=tmp_path))
    path = landing.write_documents("github", "acme", "unit", [document(1)])
    assert pq.read_schema(tmp_path / ".headrace" / "landing" / path).equals(documents_schema())


def test_tests_that_load_without_dlt_load_the_same(landing: Landing) -> None:
    rows: list[Row] = [
        document(1),
        document(2, content=b"%PDF", content_type="application/pdf", tags=()),
        Deleted("github:acme/x"),
    ]
    through_dlt, without = (
        pq.read_table(io.BytesIO(landing.files.read(load(landing, "github", "acme-github", "unit", rows))))
        for load in (Landing.write_documents, write_documents)
    )
    assert through_dlt.equals(without)


def test_a_folder_that_a_killed_process_has_left_empty_is_taken(tmp_path: Path) -> None:
    (tmp_path / ".headrace" / "landing" / "acme").mkdir(parents=True)
    landing = Landing(Settings(directory=tmp_path))
    path = landing.write_documents("github", "acme", "unit", [document(1)])
    assert [one for one, _ in landing.read_documents(path)] == [document(1)]


def test_each_load_is_a_file_of_its_own(landing: Landing) -> None:
    paths = {landing.write_documents("slack", "acme", unit, [document(1)]) for unit in ("C1", "C2", "C1")}
    assert len(paths) == 3


def test_settings_of_other_dlt_pipelines_are_left_alone_and_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__FILESYSTEM__LAYOUT", "{table_name}-{load_id}.{ext}")
    landing = Landing(Settings(directory=tmp_path))
    assert landing.files.exists(landing.write_documents("github", "acme", "unit", [document(1)]))
    assert dlt.config["destination.filesystem.layout"].startswith("{table_name}")


def test_chunks_come_back_as_they_were(landing: Landing) -> None:
    text = document(1, content="# One\n\nFirst.\n\n# Two\n\n" + "Second. " * 400)
    chunked = ChunkedDocument(text.id, text.version, {"title": text.title, "tags": ["a"]}, tuple(chunk_document(text)))
    removed = ChunkedDocument("gone", None, {}, ())
    for _ in range(2):  # a repetition overwrites
        path, chunks = landing.write_chunks("acme", 7, iter([chunked, removed]))
    assert chunks == len(chunked.chunks) > 1
    assert list(landing.read_chunks(path)) == [chunked, removed]


def test_pages_and_what_was_not_read_come_back(landing: Landing) -> None:
    chunks = tuple(chunk_document(document(1, content=pdf("one", "two"), content_type=PDF)))
    chunked = ChunkedDocument(document(1).id, "v", {}, chunks, "partly read: page 3 holds a picture only")
    path, _ = landing.write_chunks("acme", 7, [chunked])
    assert [chunk.page for chunk in chunks] == [1, 2]
    assert list(landing.read_chunks(path)) == [chunked]


def test_chunks_of_releases_that_knew_no_pages_are_read(landing: Landing) -> None:
    chunks = tuple(chunk_document(document(1)))
    path, _ = landing.write_chunks("acme", 7, [ChunkedDocument("a", "v", {"title": "A"}, chunks)])
    with landing.files.atomic(path) as file:
        former = chunk_table([ChunkedDocument("a", "v", {"title": "A"}, chunks)]).drop_columns(["pages", "partly_read"])
        pq.write_table(former, file)
    (read,) = landing.read_chunks(path)
    assert [(one.text, one.page) for one in read.chunks] == [("Text of issue 1.", None)]
    assert read.partly_read is None


def test_a_killed_write_leaves_no_chunk_file(tmp_path: Path) -> None:
    landing = Landing(Settings(directory=tmp_path))

    def breaks_down() -> Iterator[ChunkedDocument]:
        yield ChunkedDocument("a", None, {}, ())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        landing.write_chunks("acme", 7, breaks_down())
    assert not list(tmp_path.rglob("7.parquet"))


def test_working_folders_of_dead_processes_are_removed(tmp_path: Path) -> None:
    left = tmp_path / ".headrace" / "work" / "999999999-left"
    left.mkdir(parents=True)
    Landing(Settings(directory=tmp_path)).write_documents("github", "acme", "unit", [document(1)])
    assert list(left.parent.iterdir()) == []


def test_bodies_that_were_pushed_come_back_and_are_listed_until_they_are_removed(landing: Landing) -> None:
    bodies = PushedBodies(landing.files)
    content = b"the wheel \0 turns"
    path, other = bodies.write("documents", content), bodies.write("other", b"")
    assert (bodies.read(path), bodies.read(other)) == (content, b"")
    assert (list(bodies.list("documents")), set(bodies.list())) == ([path], {path, other})
    assert not set(landing.data_files()) & {path, other}
    assert (bodies.remove(path), bodies.remove(path)) == (True, False)
    with pytest.raises(FileNotFoundError):
        bodies.read(path)


def test_a_landing_that_cannot_be_used_says_so(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no")

    monkeypatch.setattr(landing.files, "atomic", refuse)
    with pytest.raises(LandingUnavailable, match=r"landing\.url: PermissionError: no"):
        PushedBodies(landing.files).write("acme", b"a")
