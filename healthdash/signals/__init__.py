"""Recorded signals of any format: bytes to a `Recording` in physical units, and what views need of it."""
