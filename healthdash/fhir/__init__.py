"""Records of FHIR R4 as a table: a patient a row with the latest values before a moment, or a stay a row.

Plain JSON with careful access, and no model library: of some 150 resource types seven are used, and a library
such as fhir.resources refuses a whole file for one element that is not needed here.
"""

from __future__ import annotations

from .document import looks_like_fhir
from .stays import read_stays
from .table import read_fhir

__all__ = ["looks_like_fhir", "read_fhir", "read_stays"]
