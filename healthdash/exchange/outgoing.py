"""A bundle in the forms in which it can leave: the bundle itself, SavedModel, ONNX, a Keras script."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from healthdash.bundle_folder import FILES
from healthdash.bundles import Bundle
from healthdash.errors import CorruptModel, InputError, ModelError, UnknownModel

from . import child, container

__all__ = ["FORMS", "Form", "form", "made_apart", "write", "zipped"]

#: A large network on a busy machine is converted within minutes.
_WALL_S = 540.0


@dataclass(frozen=True, slots=True)
class Form:
    """One form in which a model can leave.

    Attributes
    ----------
    slug : str
        Its name on the command line.
    title, told : str
        For people: what it is, and what it is good for.
    suffix : str
        Ending of the file.
    make : function of a bundle
        Returns the bytes of the file.
    is_heavy : bool
        Whether it needs TensorFlow, so that the app makes it in a child process.
    """

    slug: str
    title: str
    told: str
    suffix: str
    make: Callable[[Bundle], bytes]
    is_heavy: bool = True


def zipped(bundle: Bundle) -> bytes:
    """Return the bundle as a zip archive; the same bundle gives the same bytes.

    Raises
    ------
    CorruptModel
        A file of the bundle is missing.
    """
    try:
        return container.packed({name: (bundle.path / name).read_bytes() for name in FILES})
    except OSError as error:
        raise CorruptModel(
            "a file of the bundle is missing", hint="Restore it, or train it again."
        ) from error


def _saved_model(bundle: Bundle) -> bytes:
    from .elsewhere import saved_model

    return saved_model(bundle)


def _onnx(bundle: Bundle) -> bytes:
    from .onnx_file import onnx

    return onnx(bundle)


def _script(bundle: Bundle) -> bytes:
    from .script import script

    return script(bundle).encode()


FORMS = (
    Form(
        "zip", "Bundle (zip)", "With its card and all it needs; healthdash brings it in again.", ".zip",
        zipped, is_heavy=False,
    ),
    Form(
        "savedmodel", "TensorFlow SavedModel (zip)",
        "Prepared inputs in, calibrated probabilities out; for TensorFlow Serving.", ".savedmodel.zip",
        _saved_model,
    ),
    Form(
        "onnx", "ONNX", "The same for ONNX Runtime; offered only where it gives the same numbers.", ".onnx",
        _onnx,
    ),
    Form(
        "script", "Keras script", "A Python file that trains this network anew on prepared arrays.",
        ".py", _script,
    ),
)  # fmt: skip


def form(slug: str) -> Form:
    """Return a form by its name; an unknown one raises `UnknownModel` that lists those there are."""
    for one in FORMS:
        if one.slug == slug:
            return one
    raise UnknownModel("there is no such form", hint=f"Choose of {', '.join(one.slug for one in FORMS)}.")


def made_apart(bundle: Bundle, slug: str) -> bytes:
    """Return a bundle in a form that was made in a process of its own: the app goes on meanwhile.

    Raises
    ------
    ModelError
        The form cannot hold this model faithfully, or its making broke off; the message says why.
    """
    with tempfile.TemporaryDirectory(prefix="healthdash-") as folder:
        out = Path(folder, "model")
        words = ["export", bundle.info.task, "--model", str(bundle.path), "--as", slug, "--out", str(out)]
        told = child.run("healthdash", words, wall_s=_WALL_S)
        if "error" in told:
            raise ModelError(told["error"]["message"], hint=told["error"]["hint"])
        return out.read_bytes()


def write(bundle: Bundle, slug: str, out: Path) -> int:
    """Write a bundle in a form to a file, in one step, and return its bytes.

    Raises
    ------
    ModelError
        The form cannot hold this model faithfully; the message says why.
    MissingDependency
        The form needs a package that is not installed.
    InputError
        The file cannot be written.
    """
    if out.is_dir():
        raise InputError("expected a file to write, got a folder", hint="Name a file with --out.")
    content = form(slug).make(bundle)
    partial = out.with_name(f".{out.name}-{os.getpid()}")
    try:
        partial.write_bytes(content)
        partial.replace(out)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(
            f"the file cannot be written: {error.strerror}", hint="Choose another place."
        ) from error
    return len(content)
