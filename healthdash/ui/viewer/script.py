"""The JavaScript of the viewer as one module.

Streamlit takes one module as text from an app that is not an installed package. The files in
`js/` are plain ES modules; here they are put one behind the other, without their imports from
each other. No name stands twice at the top level of them; a test sees to that.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

__all__ = ["MODULES", "joined", "style"]

#: In the order in which they need each other.
MODULES = (
    "dom", "grey", "planes", "paint", "voxels", "keys", "pane", "model", "profile", "pointer", "controls",
    "window", "gestures", "state", "viewer", "index",
)  # fmt: skip
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./[a-z]+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


@cache
def joined() -> str:
    """Return all modules as one, with the default export of the last."""
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", _text(f"js/{name}.js"))) for name in MODULES)


@cache
def style() -> str:
    """Return the style sheet."""
    return _text("viewer.css")


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")
