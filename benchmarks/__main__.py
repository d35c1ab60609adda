"""Run every benchmark and print one table: python -m benchmarks [TOPIC...] [--json FILE]."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from importlib import import_module
from pathlib import Path

from benchmarks.rows import Row, as_json, as_table, missing

# The app first: its server must not share the machine with a TensorFlow of ours.
TOPICS = (
    "app",
    "hostile",
    "viewer",
    "ecg_sheet",
    "signals",
    "pictures",
    "reading",
    "latency",
    "throughput",
    "tables",
    "explanations",
    "studio",
)


def main() -> int:
    """Print the table; 1 when numbers that must be equal are not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", allow_abbrev=False)
    parser.add_argument(
        "topics", nargs="*", metavar="TOPIC", help=f"any of {', '.join(TOPICS)}; default: all"
    )
    parser.add_argument("--json", type=Path, help="also write the rows as JSON Lines")
    options = parser.parse_args()
    unknown = set(options.topics) - set(TOPICS)
    if unknown:
        parser.error(f"no topic {', '.join(sorted(unknown))}; there are {', '.join(TOPICS)}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    started = time.perf_counter()
    rows = [row for topic in options.topics or TOPICS for row in _measured(topic)]
    print(f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}; load {_load()}")
    print(as_table(rows))
    print(f"{time.perf_counter() - started:.0f} s in all", file=sys.stderr)
    if options.json:
        options.json.write_text(as_json(rows))
    return int(any(row.verdict == "not equal" for row in rows))


def _measured(topic: str) -> list[Row]:
    print(f"measuring: {topic}", file=sys.stderr, flush=True)
    rows: list[Row] = []
    try:
        for row in import_module(f"benchmarks.{topic}").rows():
            rows.append(row)
            against = f" | {row.reference} | ratio {row.ratio:.3g}" if row.ratio is not None else ""
            print(f"  {row.name}: {row.ours}{against} ({row.verdict})", file=sys.stderr, flush=True)
    except Exception as error:  # one topic that cannot run must not take the others' figures away
        rows.append(missing(topic, f"{type(error).__name__}: {error}".splitlines()[0][:120]))
    return rows


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


if __name__ == "__main__":
    sys.exit(main())
