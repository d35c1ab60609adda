"""Reading files that were damaged at random: `python -m tests.fuzz --cases 20000 --seed 0`."""
