"""`python -m tests.fuzz --cases 20000 --seed 0`: damage files, read them, and tell what was not foreseen.

A case passes where the reader returns a sample or raises one of our own errors. What fails: another
error, a crash of the process, more than ten seconds. Cases run in processes that are bounded as the
children of the server are; one that crashed or hung is replaced.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .corpus import Seed, seeds
from .mutate import damaged
from .run import run


def main() -> int:
    """Run the cases and print what was found; 1 where any failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder for the files of cases that failed")
    options = parser.parse_args()
    corpus = seeds()
    started = time.monotonic()

    def told(failure: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(failure) + "\n")
        sys.stdout.flush()
        if options.keep:
            _keep(failure["case"], options.seed, corpus, options.keep)

    cases = range(options.first, options.first + options.cases)
    found = run(cases, options.seed, corpus, options.workers, told)
    ends = {"seeds": len(corpus), "seconds": round(time.monotonic() - started), **found.counts}
    sys.stdout.write(json.dumps(ends) + "\n")
    return 1 if found.failures else 0


def _keep(case: int, seed: int, corpus: Sequence[Seed], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, upload in enumerate(damaged(case, seed, corpus).uploads):
        (folder / f"{case}-{number}-{Path(upload.name).name}").write_bytes(upload.data)


if __name__ == "__main__":
    sys.exit(main())
