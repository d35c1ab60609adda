"""The command on a card is the one that was given, without the folders of this machine."""

from __future__ import annotations

import sys

import pytest

from healthdash.training.command import command_line


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            "train ecg-waves --data synthetic --out new/mine",
            "train ecg-waves --data synthetic --out new/mine",
        ),
        ("train table --data /sets/signals/ludb", "train table --data $HEALTHDASH_DATA/signals/ludb"),
        ("train table --data=/sets/a.csv", "train table --data=$HEALTHDASH_DATA/a.csv"),
        ("train table --data /home/me/a.csv", "train table --data a.csv"),
        ("train table --cleaning=/home/me/steps.json", "train table --cleaning=steps.json"),
        ("train table --history /logs/a.csv --seed 5", "train table --seed 5"),
        ("train table --history=/logs/a.csv --seed=5", "train table --seed=5"),
    ],
)
def test_a_card_tells_the_command_without_the_folders_of_this_machine(
    given: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALTHDASH_DATA", "/sets")
    monkeypatch.setattr(sys, "argv", ["healthdash", *given.split()])
    assert command_line() == f"python -m healthdash {told}"


def test_what_no_command_made_tells_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["pytest", "tests"])
    assert command_line() == ""
