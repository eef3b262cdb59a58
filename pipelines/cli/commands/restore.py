"""`headrace restore`: says what was lost, makes it good, and says what the next sync has to do."""

from __future__ import annotations

from pipelines.cli import output
from pipelines.cli.progress import progress
from pipelines.cli.reported_units import ReportedUnits
from pipelines.operations.restore import Losses, find_losses, restore
from pipelines.services import Services
from pipelines.settings import Settings

_SAID = {
    "files": "files of the landing that the catalog does not know",
    "loads": "loads of which the landing has lost the file",
    "without_points": "documents of which the index has lost points",
    "unknown": "documents that the index alone knows",
}


def restore_state(settings: Settings, dry_run: bool, json: bool) -> None:
    """Restore and print. Raises UnitBusy, EmbeddingError, IndexBusy and IndexMismatch."""
    with Services(settings) as services:
        if dry_run:
            _print_losses(find_losses(services), json)
            return
        with progress(json) as observer:
            losses, report = restore(services, observer)
    if json:
        output.print_json({"lost": losses.as_json(), **report.as_json()})
        return
    _print_losses(losses, json)
    output.print_report(report, json, ReportedUnits(settings))
    if losses.files:
        print("next: `headrace sync`: nobody sees what was restored before its source was read again, in full")
    elif losses.loads:
        print("next: `headrace sync`, which reads the units in full of which the landing was lost")


def _print_losses(losses: Losses, json: bool) -> None:
    if json:
        output.print_json({"lost": losses.as_json()})
        return
    for name, count in losses.as_json().items():
        print(f"{count:>8}  {_SAID[name]}")
