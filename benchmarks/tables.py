"""Opening each kind of table, with everything that is found out about it, against the bare library."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.rows import Row, missing, seconds_of
from healthdash.fhir import read_fhir
from healthdash.tables.read import read_text_table

__all__ = ["rows"]

_ROWS = 20_000
_PATIENTS = 200


def rows() -> Iterator[Row]:
    """Yield a row a format."""
    frame = _frame()
    for name, made, bare in _kinds(frame):
        try:
            data = made()
            expected, reference = seconds_of(lambda data=data, bare=bare: bare(data))
            ours, table = seconds_of(lambda data=data: read_text_table(data))
        except ImportError as error:
            yield missing(f"open {name}", str(error))
            continue
        same = len(table.frame) == len(reference)
        yield _row(f"open {name}, {_ROWS:,} x {frame.shape[1]}", ours, expected, same=same)
    data = _bundle()
    expected, document = seconds_of(lambda: json.loads(data))
    ours, table = seconds_of(lambda: read_fhir(data))
    same = len(table.frame) == _PATIENTS and len(document["entry"]) > _PATIENTS
    yield _row(f"open FHIR, {_PATIENTS} patients, {len(data) / 1e6:.1f} MB", ours, expected, same=same)


def _row(name: str, ours: float, bare: float, *, same: bool) -> Row:
    return Row(
        name=name,
        ours=f"{ours * 1e3:.0f} ms",
        reference=f"{bare * 1e3:.0f} ms bare library",
        ratio=ours / bare,
        check="rows equal" if same else "rows differ",
        verdict="no target" if same else "not equal",
    )


def _frame() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "age": rng.integers(20, 90, _ROWS),
            "sex": rng.choice(["female", "male"], _ROWS),
            "chol": rng.normal(220, 40, _ROWS).round(1),
            "trestbps": rng.normal(130, 15, _ROWS).round(),
            "visit": pd.date_range("2019-01-01", periods=_ROWS, freq="h").strftime("%Y-%m-%d"),
            "ward": rng.choice(["A1", "B2", "C3"], _ROWS),
        }
    )


def _kinds(
    frame: pd.DataFrame,
) -> Iterator[tuple[str, Callable[[], bytes], Callable[[bytes], Any]]]:
    """Yield a name, what makes the file, and the bare read of a library."""
    import pyreadstat

    yield "CSV", lambda: frame.to_csv(index=False).encode(), lambda data: pd.read_csv(io.BytesIO(data))
    yield (
        "CSV in GB18030, semicolons",
        lambda: frame.rename(columns={"age": "年龄"}).to_csv(index=False, sep=";").encode("gb18030"),
        lambda data: pd.read_csv(io.BytesIO(data), sep=";", encoding="gb18030"),
    )
    yield "Parquet", lambda: _parquet(frame), lambda data: pd.read_parquet(io.BytesIO(data))
    writers = {
        "SPSS": (pyreadstat.write_sav, pyreadstat.read_sav),
        "Stata": (pyreadstat.write_dta, pyreadstat.read_dta),
        "SAS XPORT": (pyreadstat.write_xport, pyreadstat.read_xport),
    }
    for name, (write, read) in writers.items():
        yield (
            name,
            lambda write=write: _written(frame, write),
            lambda data, read=read: read(io.BytesIO(data))[0],
        )


def _parquet(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.to_parquet(out)
    return out.getvalue()


def _written(frame: pd.DataFrame, write: Callable[..., object]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        write(frame, str(path))
        return path.read_bytes()


def _bundle() -> bytes:
    """Return a bundle of patients with 20 observations each."""
    entries = []
    for number in range(_PATIENTS):
        person = {
            "resourceType": "Patient",
            "id": f"p{number}",
            "gender": "female",
            "birthDate": "1960-01-01",
        }
        entries.append({"resource": person})
        entries += [{"resource": _observation(number, day)} for day in range(1, 21)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def _observation(patient: int, day: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2093-3"}]},
        "subject": {"reference": f"Patient/p{patient}"},
        "effectiveDateTime": f"2020-01-{day:02d}",
        "valueQuantity": {"value": 5 + day / 20, "code": "mmol/L"},
    }
