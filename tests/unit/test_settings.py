"""Settings: read from the environment, with a default each."""

from __future__ import annotations

import pytest

from healthdash.errors import InputError
from healthdash.settings import Settings


@pytest.mark.parametrize("environment", [{}, {"HEALTHDASH_MAX_UPLOAD_MB": "", "HEALTHDASH_READ_SECONDS": ""}])
def test_without_a_value_the_defaults_hold(environment):
    found = Settings.from_environment(environment)
    assert (found.max_upload_mb, found.threads, found.runs_at_once, found.ray_workers) == (200, 0, 1, 1)
    assert (found.read_seconds, found.read_memory_mb, found.read_answer_mb) == (10, 2048, 256)


def test_fractions_of_a_second_are_read():
    assert Settings.from_environment({"HEALTHDASH_READ_SECONDS": "2.5"}).read_seconds == 2.5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_UPLOAD_MB", "1.5"),
        ("MAX_UPLOAD_MB", "0"),
        ("THREADS", "two"),
        ("RUNS_AT_ONCE", "-1"),
        ("READ_SECONDS", "nan"),
        ("READ_SECONDS", "inf"),
    ],
)
def test_a_value_that_is_no_such_number_is_named_with_what_was_expected(name, value):
    with pytest.raises(InputError, match=f"HEALTHDASH_{name}: expected a .*number from .* got '{value}'"):
        Settings.from_environment({f"HEALTHDASH_{name}": value})
