"""The texts of a bundle from outside: what it says of itself, its figures, history and golden numbers."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from healthdash.bundle_folder import safe_name
from healthdash.bundles import FORMAT, GOLDEN_TOLERANCE, BundleInfo
from healthdash.errors import InvalidInput, ModelMismatch, RefusedModel
from healthdash.training.evaluation import Evaluation

__all__ = ["Documents", "Golden", "checked"]

Model = TypeVar("Model", bound=BaseModel)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_MOST_OF_A_NAME = 60
_PATH = re.compile(r"[/\\]")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST_TEXT = 20_000
_LONGEST_NAME = 200
_MOST_LABELS = 1_000
_MOST_COLUMNS = 200
_MOST_ROWS = 100_000
# Pages show these texts as Markdown, which never runs HTML; but a picture or a link in Markdown would
# make a reader's browser ask another server. Column names may well hold a single "<" or "[".
_MARKUP = re.compile(r"!\[|\]\(|<[a-z!/][^>]*>", re.IGNORECASE)
#: Characters that hide or turn round what a text says.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


class Golden(BaseModel):
    """The content of `golden.json`: rows of the background, and the logits that they must give."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    background_rows: tuple[int, ...] = Field(min_length=1, max_length=16)
    logits: tuple[tuple[float, ...], ...]
    tolerance: float = Field(gt=0, le=GOLDEN_TOLERANCE)


@dataclass(frozen=True)
class Documents:
    """The texts of a bundle, parsed."""

    info: BundleInfo
    evaluation: Evaluation
    golden: Golden


def checked(files: Mapping[str, bytes]) -> Documents:
    """Parse the texts of a bundle and check that they fit each other, and the weights by their hash.

    Raises
    ------
    ModelMismatch
        The format is newer than this version reads.
    RefusedModel
        A text breaks its form, holds markup or no numbers, or the weights are others than it names.
    """
    described = _json(files["bundle.json"], "bundle.json")
    _check_format(described)
    info = _named(_parsed(BundleInfo, files["bundle.json"], "bundle.json"))
    evaluation = _parsed(Evaluation, files["evaluation.json"], "evaluation.json")
    golden = _parsed(Golden, files["golden.json"], "golden.json")
    _check_texts(described, "bundle.json")
    _check_texts(_json(files["evaluation.json"], "evaluation.json"), "evaluation.json")
    _check_info(info, hashlib.sha256(files["model.keras"]).hexdigest())
    _check_golden(golden, len(info.labels))
    _check_history(files["history.csv"])
    _text(files["card.md"], "card.md")
    return Documents(info, evaluation, golden)


def _check_format(described: Any) -> None:
    number = described.get("format", FORMAT) if isinstance(described, dict) else None
    if isinstance(number, int) and number > FORMAT:
        raise ModelMismatch(
            f"expected bundle format {FORMAT} or older, got {number}", hint="Update healthdash."
        )


def _parsed(kind: type[Model], content: bytes, name: str) -> Model:
    try:
        return kind.model_validate_json(content)
    except (ValidationError, RecursionError) as error:
        places = error.error_count() if isinstance(error, ValidationError) else 1
        raise RefusedModel("its form", f"{name} breaks the format in {places} places") from error


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedModel("its form", f"{name} is no text in UTF-8") from error


def _json(content: bytes, name: str) -> Any:
    try:
        return json.loads(_text(content, name))
    except (ValueError, RecursionError) as error:
        raise RefusedModel("its form", f"{name} is no JSON, or nested too deeply") from error


def _check_texts(document: Any, name: str) -> None:
    """Raise on markup, hidden characters and overlong texts, and on numbers that are none."""
    for value in _values(document):
        if isinstance(value, float) and not math.isfinite(value):
            raise RefusedModel("numbers that are none", f"{name} holds one that is not finite")
        if isinstance(value, str):
            if len(value) > _LONGEST_TEXT:
                raise RefusedModel("its size", f"a text of {name} has {len(value):,} characters")
            if _MARKUP.search(value):
                raise RefusedModel("markup", f"a text of {name} holds a link, a picture or HTML")
            if _HIDDEN.search(value):
                raise RefusedModel("hidden characters", f"a text of {name} holds control characters")


def _values(document: Any) -> Iterator[Any]:
    """Yield every key and value of a JSON document; its nesting is bounded by the parser."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend((*value.keys(), *value.values()))
        elif isinstance(value, list):
            waiting.extend(value)
        else:
            yield value


def _named(info: BundleInfo) -> BundleInfo:
    """Return a description with a name that is safe: a folder's blanks and umlauts become hyphens."""
    if _NAME.fullmatch(info.name) or _PATH.search(info.name):
        return info
    try:
        return info.model_copy(update={"name": safe_name(info.name)[:_MOST_OF_A_NAME]})
    except InvalidInput as error:
        raise RefusedModel("its name", error.message) from error


def _check_info(info: BundleInfo, sha256: str) -> None:
    if not _NAME.fullmatch(info.name) or not _NAME.fullmatch(info.task):
        raise RefusedModel("its name", "expected no path, but letters, digits, dots, hyphens and underscores")
    if not _SHA256.fullmatch(info.sha256) or info.sha256 != sha256:
        raise RefusedModel("other weights", "the weights are not those that bundle.json names by their hash")
    labels = info.labels
    if not 2 <= len(labels) <= _MOST_LABELS or len(set(labels)) < len(labels):
        raise RefusedModel("its labels", f"expected 2 to {_MOST_LABELS:,} different labels")
    if any(not label or len(label) > _LONGEST_NAME for label in (*labels, info.title)):
        raise RefusedModel("its labels", f"a label or the title is empty or over {_LONGEST_NAME} characters")
    named = {name for names in info.label_groups.values() for name in names}
    named |= {point.label for point in info.operating_points} - set(info.label_groups)
    if not named <= set(labels):
        raise RefusedModel("its labels", "a group or an operating point names a label that there is not")
    if len(info.calibration.offset) not in (0, len(labels)):
        raise RefusedModel("its labels", "the calibration is for another number of labels")
    if not info.inputs:
        raise RefusedModel("another signature", "bundle.json names no input")


def _check_golden(golden: Golden, labels: int) -> None:
    if min(golden.background_rows) < 0 or max(golden.background_rows) >= _MOST_ROWS:
        raise RefusedModel("its form", "golden.json names a row that there cannot be")
    if len(golden.logits) != len(golden.background_rows) or any(len(row) != labels for row in golden.logits):
        raise RefusedModel("its labels", f"golden.json has not {labels} numbers for each of its rows")


def _check_history(content: bytes) -> None:
    """Raise unless the history is a table of numbers, with the name of a run in its own column."""
    try:
        header, *rows = list(csv.reader(io.StringIO(_text(content, "history.csv"), newline="")))
    except (csv.Error, ValueError):
        # Bundles of before there was a history have an empty file.
        if not content.strip():
            return
        raise RefusedModel("its form", "history.csv is no table") from None
    if len(header) > _MOST_COLUMNS or any(len(row) != len(header) for row in rows):
        raise RefusedModel("its form", "history.csv is no table")
    _check_texts(header, "history.csv")
    for row in rows:
        for name, cell in zip(header, row, strict=True):
            _check_cell(name, cell)


def _check_cell(name: str, cell: str) -> None:
    if name == "run":
        _check_texts(cell, "history.csv")
        return
    try:
        float(cell or 0)
    except ValueError as error:
        raise RefusedModel("its form", "history.csv holds something else than numbers") from error
