"""The page of patient records."""

from healthdash.ui import analysis

analysis.page("records")
