"""The page of explanations."""

from healthdash.ui import explore

explore.page()
