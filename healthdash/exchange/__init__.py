"""Models and curves that come and go: bundles out in several forms, and in again after they were checked.

    bytes -> container -> documents, arrays, configuration -> trial (a child process) -> the user's models

Each step refuses by the name of a reason before the next one reads a byte more. Nothing here is imported
by a page that neither imports nor exports.
"""
