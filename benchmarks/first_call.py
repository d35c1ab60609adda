"""Time one first explanation: python -m benchmarks.first_call CASE ours|shap. A line of JSON."""

from __future__ import annotations

import json
import sys

from benchmarks.expected_gradients import CASES, first_call


def main() -> int:
    """Load the case, then explain for the first time."""
    name, who = sys.argv[1:]
    case = CASES[name]()
    if case is None:
        return 1
    # Loading either library is no part of an explanation.
    import shap  # noqa: F401

    print(json.dumps(first_call(case, who)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
