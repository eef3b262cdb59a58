"""`make mutants`: changes one thing at a time in the modules that decide, and asks fast tests to notice.

Which modules and which tests is in `[tool.mutmut]` of pyproject.toml. mutmut leaves the exit code of each mutant's
tests in `mutants/<module>.py.meta`: https://mutmut.readthedocs.io
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FLOOR = 0.9
"""Share of a module's mutants that tests must kill."""
SURVIVED, UNTESTED = 0, 33
"""Exit codes of pytest for a mutant that nothing noticed, and mutmut's for one that no test reaches."""
SHOWN = 5


def main() -> None:
    folder = Path("mutants")
    shutil.rmtree(folder, ignore_errors=True)  # what an earlier run found out was of other code
    done = subprocess.run([sys.executable, "-m", "mutmut", "run"], check=False, stdout=subprocess.PIPE, text=True)
    below = [module for module in sorted(folder.rglob("*.py.meta")) if not _is_enough(folder, module)]
    if done.returncode or not any(folder.rglob("*.py.meta")):
        sys.exit(f"mutmut ended with {done.returncode}:\n{done.stdout[-2_000:]}")
    if below:
        sys.exit(f"{len(below)} modules have fewer than {FLOOR:.0%} of their mutants killed")


def _is_enough(folder: Path, meta: Path) -> bool:
    codes: dict[str, int | None] = json.loads(meta.read_text())["exit_code_by_key"]
    if not codes:
        return True
    alive = sorted(_alive(codes))
    share = 1 - len(alive) / len(codes)
    print(f"{share:7.1%} of {len(codes):4} killed  {meta.relative_to(folder).as_posix().removesuffix('.meta')}")
    for name in alive[:SHOWN]:
        print(f"         alive: {name}; see it with `mutmut show {name}`")
    return share >= FLOOR


def _alive(codes: dict[str, int | None]) -> Iterator[str]:
    return (name for name, code in codes.items() if code in (SURVIVED, UNTESTED, None))


if __name__ == "__main__":
    main()
