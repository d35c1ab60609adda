"""The first page: what there is."""

from healthdash.ui import home

home.page()
