"""What another version has taken the place of is removed once nobody reads it, and not before."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from qdrant_client import QdrantClient, models

from pipelines.index.contract import Filters, IndexSpec
from pipelines.index.server import former_versions
from pipelines.index.versions import version_name
from tests.pipelines.index.conftest import Configured, OverRest, changes_of


@pytest.fixture(params=["rest", "server"])
def backend(request: pytest.FixtureRequest) -> Configured | OverRest:
    found: Configured | OverRest = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def other(backend: Configured | OverRest) -> IndexSpec:
    """That a reindex makes a version for."""
    return replace(backend.spec, model="large")


def client_of(backend: Configured | OverRest) -> QdrantClient:
    if isinstance(backend, OverRest):
        return backend.server.client()
    return QdrantClient(url=backend.settings.index.url, check_compatibility=False)


def versions(backend: Configured | OverRest) -> set[str]:
    with closing(client_of(backend)) as client:
        found = {one.name for one in client.get_collections().collections}
    return {name for name in found if name.startswith(backend.spec.collection)}


def publish(backend: Configured | OverRest, spec: IndexSpec) -> None:
    with closing(backend.store(spec, replace=True)) as store:
        store.publish()


def age(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(former_versions, "KEPT", timedelta(seconds=-1))


def test_a_version_that_was_replaced_is_removed_by_a_later_publication(
    backend: Configured | OverRest, other: IndexSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(backend, backend.spec)
    with closing(backend.reader()) as reader:
        reader.info()  # a reader that remembers the alias
        publish(backend, other)
        publish(backend, other)
        assert versions(backend) == {version_name(backend.spec), version_name(other)}, "somebody may read it still"
        assert reader.document("a", Filters(readers=("public",))) == []
    age(monkeypatch)
    publish(backend, other)
    assert versions(backend) == {version_name(other)}


def test_what_cannot_be_removed_keeps_nothing_from_being_published(
    rest: OverRest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(name: str) -> bool:
        raise ValueError("this key may not")

    other = replace(rest.spec, model="large")
    rest.server.routes.insert(0, ("DELETE", "/collections/([^/]+)", None, refuse))
    age(monkeypatch)
    publish(rest, rest.spec)
    publish(rest, other)
    with closing(rest.reader()) as reader:
        assert reader.info().model == "large"
    assert "is not removed: knowledge: the Qdrant server answered 400" in caplog.text


def test_a_version_that_is_being_written_ahead_stays(
    backend: Configured | OverRest, other: IndexSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    age(monkeypatch)
    publish(backend, backend.spec)
    with closing(backend.store(other, replace=True)) as ahead:
        publish(backend, backend.spec)
        ahead.apply(changes_of({"a": "water"}))
        ahead.publish()
    assert version_name(other) in versions(backend)


def test_a_version_that_is_written_again_after_it_was_replaced_stays(
    backend: Configured | OverRest, other: IndexSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reindex to the model of before."""
    publish(backend, backend.spec)
    publish(backend, other)
    age(monkeypatch)
    with closing(backend.store(replace=True)) as back:
        publish(backend, other)
        back.apply(changes_of({"a": "water"}))
        back.publish()
        assert back.points(["a"])
    assert versions(backend) >= {version_name(backend.spec)}


def test_nothing_is_removed_that_an_alias_points_at_or_that_was_not_replaced(
    backend: Configured | OverRest, other: IndexSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(backend, backend.spec)
    alias, theirs = f"{backend.spec.collection}-kept", f"{backend.spec.collection}-0123456789ab"
    own = models.CreateAlias(collection_name=version_name(backend.spec), alias_name=alias)
    vectors = {"v": models.VectorParams(size=2, distance=models.Distance.DOT)}
    with closing(client_of(backend)) as client:
        client.update_collection_aliases([models.CreateAliasOperation(create_alias=own)])
        client.create_collection(theirs, vectors_config=vectors)
    age(monkeypatch)
    publish(backend, other)
    publish(backend, other)
    assert versions(backend) == {version_name(backend.spec), version_name(other), theirs}
