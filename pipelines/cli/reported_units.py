"""How units are called that a report names by their ids."""

from __future__ import annotations

from functools import cached_property

from pipelines.settings import Settings


class ReportedUnits:
    """Asks the catalog once, and only if there is a unit to name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self, unit: str) -> str:
        """`acme-slack/general` for `acme-slack/C061EG9SL`; what is no known unit as it is."""
        return self._names.get(unit, unit)

    @cached_property
    def _names(self) -> dict[str, str]:
        from pipelines.operations.reported_names import reported_names
        from pipelines.services import Services

        with Services(self._settings) as services:
            return reported_names(services.catalog)
