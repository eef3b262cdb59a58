"""Which unit a pause means."""

from __future__ import annotations

import pytest

from connectors.model import Unit
from connectors.registry import parse_connection
from pipelines.catalog import open_catalog
from pipelines.errors import UsageError
from pipelines.operations.pausing import set_paused
from pipelines.settings import Settings


@pytest.mark.parametrize(("target", "paused"), [("acme/mill", "new"), ("acme/new", "new"), ("acme/former", "former")])
def test_a_name_means_the_unit_that_is_listed(settings: Settings, target: str, paused: str) -> None:
    connection = parse_connection({"id": "acme", "source": "github", "token": "t"})
    used = settings.model_copy(update={"connections": (connection,)})
    with open_catalog(used) as catalog:
        for listed in ("former", "new"):
            catalog.units.replace_listing("acme", "github", [Unit(listed, "mill")])
        assert set_paused(used, target, True) == "acme/mill"
        assert {state.unit.id for state in catalog.units.all() if state.paused} == {paused}
        with pytest.raises(UsageError, match="no unit 'mills'"):
            set_paused(used, "acme/mills", True)
