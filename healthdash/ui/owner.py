"""Whose training runs a browser sees: its own, known by a cookie that nobody can guess.

The cookie holds a random token and nothing else; the store holds only its hash, so that who reads the
store cannot take on a browser. Two browsers, or two people on one server, never see each other's runs.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

import streamlit as st

__all__ = ["Owner", "current", "remember"]

_COOKIE = "healthdash-owner"
_KEY = "work:owner"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
# The first of several tabs that open at once decides; the others load again, once, to take its token.
_SCRIPT = """<script>
(() => {{
  const name = "{name}=", mine = "{token}";
  const held = document.cookie.split("; ").find((one) => one.startsWith(name));
  const kept = held && held.slice(name.length);
  if (kept === mine) return;
  if (!kept || !/^[A-Za-z0-9_-]{{43}}$/.test(kept)) {{
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = name + mine + "; path=/; max-age=31536000; samesite=strict" + secure;
  }} else if (!sessionStorage.getItem(name)) {{
    sessionStorage.setItem(name, "loaded again");
    location.reload();
  }}
}})();
</script>"""


@dataclass(frozen=True)
class Owner:
    """The browser of this session.

    Attributes
    ----------
    is_new : bool
        The browser has not shown the token itself yet.
    """

    token: str
    is_new: bool

    @property
    def id(self) -> str:
        """The hash by which the store knows the owner."""
        return hashlib.sha256(self.token.encode()).hexdigest()

    def close(self) -> None:
        """Remove every training run of this browser, with its data; models that were made stay."""
        from healthdash.ui import runs

        runs.queue().remove_all(self.id)


def current() -> Owner:
    """Return whose session this is: the browser's that showed its cookie, or a new one."""
    owner: Owner | None = st.session_state.get(_KEY)
    if owner is None:
        shown = _shown()
        owner = Owner(shown or secrets.token_urlsafe(32), is_new=shown is None)
        st.session_state[_KEY] = owner
    return owner


def remember() -> None:
    """Let a new browser keep its token; without cookies it is known as long as its tab is open."""
    owner = current()
    if owner.is_new:
        st.html(_SCRIPT.format(name=_COOKIE, token=owner.token), unsafe_allow_javascript=True)


def _shown() -> str | None:
    """Return the token that the browser sent when it connected."""
    token = st.context.cookies.get(_COOKIE)
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else None
