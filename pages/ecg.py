"""The page of ECG."""

from healthdash.ui import analysis

analysis.page("ecg")
