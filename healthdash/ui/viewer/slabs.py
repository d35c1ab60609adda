"""Arrays on their way to the browser: packed once, in slabs, at addresses that nobody can guess.

Streamlit's own media store serves them, and drops them with the session. An address is the hash
of the content and of a secret of the session, so that knowing a picture does not give its address.
"""

from __future__ import annotations

import hashlib
import secrets
import time
import zlib
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.runtime import get_instance

from healthdash.ui.viewer.memo import Memo

__all__ = ["Slab", "forget", "identity", "memo", "published"]

_HELD = "viewer:slabs"
_MIME = "application/octet-stream"
# Large enough to pack well, small enough that the first is there at once.
_SLAB_BYTES = 6 << 20
_MOST_BYTES = 256 << 20
_IDLE_S = 600.0
# Level 1 packs CT to 0.5 of its size at 90 MB/s a core. A browser on this machine gets them as they are
# (level 0): there is no line to spare, and the first slice is there sooner.
_PACKED, _PLAIN = 1, 0
_GZIP = 16 + zlib.MAX_WBITS
_THREADS = 2


@dataclass(frozen=True, slots=True)
class Slab:
    """Slices `first` to `first + count` of an array, as gzip."""

    first: int
    count: int
    packed: bytes = field(repr=False)


@dataclass
class _Held:
    """What one session sends: slabs by the name of their array, the latest used last."""

    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    slabs: OrderedDict[str, tuple[float, list[Slab]]] = field(default_factory=OrderedDict)
    memo: Memo = field(default_factory=Memo)

    def drop_old(self) -> None:
        """Keep what was used lately, and not more than fits."""
        now = time.monotonic()
        size = sum(len(slab.packed) for _, slabs in self.slabs.values() for slab in slabs)
        while len(self.slabs) > 1:
            name, (used, slabs) = next(iter(self.slabs.items()))
            if size <= _MOST_BYTES and now - used < _IDLE_S:
                return
            del self.slabs[name]
            size -= sum(len(slab.packed) for slab in slabs)


def forget() -> None:
    """Let go of everything that was sent; addresses from now on are others."""
    st.session_state.pop(_HELD, None)


def memo() -> Memo:
    """Return what this session worked out of its arrays."""
    return _held().memo


def identity(array: NDArray[Any]) -> str:
    """Return the name of an array in this session: the same for the same content."""
    return memo().of(array, "identity", lambda: _name(array))


def _name(array: NDArray[Any]) -> str:
    text = f"{_held().secret}/{array.dtype.str}/{array.shape}/"
    digest = hashlib.blake2b(text.encode(), digest_size=16)
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def published(array: NDArray[Any]) -> list[dict[str, Any]]:
    """Return the addresses of an array's slabs, in order, for the browser; little endian.

    Parameters
    ----------
    array : (slices, ...)
    """
    held, name = _held(), identity(array)
    if name not in held.slabs:
        held.slabs[name] = (0.0, _packed(array))
    _, slabs = held.slabs.pop(name)
    held.slabs[name] = (time.monotonic(), slabs)
    held.drop_old()
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    store = get_instance().media_file_mgr
    return [
        {
            "url": (f"/{base}" if base else "") + store.add(slab.packed, _MIME, f"viewer/{name}/{n}", name),
            "first": slab.first,
            "count": slab.count,
            "bytes": len(slab.packed),
        }
        for n, slab in enumerate(slabs)
    ]


def _packed(array: NDArray[Any]) -> list[Slab]:
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    count = max(1, _SLAB_BYTES // max(1, little[0].nbytes))
    firsts = range(0, len(little), count)
    level = _PLAIN if _is_here() else _PACKED
    with ThreadPoolExecutor(_THREADS) as pool:  # zlib lets other threads run
        packed = pool.map(lambda first: _gzip(little[first : first + count], level), firsts)
        return [
            Slab(first, min(count, len(little) - first), part)
            for first, part in zip(firsts, packed, strict=True)
        ]


def _is_here() -> bool:
    """Say whether the browser runs on this machine: no address, and no proxy in between."""
    return st.context.ip_address is None and "X-Forwarded-For" not in st.context.headers


def _gzip(part: NDArray[Any], level: int) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
    return packer.compress(np.ascontiguousarray(part).data) + packer.flush()


def _held() -> _Held:
    held: _Held = st.session_state.setdefault(_HELD, _Held())
    return held
