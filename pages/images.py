"""The page of images."""

from healthdash.ui import analysis

analysis.page("images")
