"""The page of EEG."""

from healthdash.ui import eeg

eeg.page()
