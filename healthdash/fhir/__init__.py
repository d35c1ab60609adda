"""Records of FHIR R4 as a table: a patient a row, the latest value of each finding before a moment.

Plain JSON with careful access, and no model library: of some 150 resource types five are used, and a library
such as fhir.resources refuses a whole file for one element that is not needed here.
"""

from __future__ import annotations

from .document import looks_like_fhir
from .table import read_fhir

__all__ = ["looks_like_fhir", "read_fhir"]
