"""The page of the models and their figures."""

from healthdash.ui import library

library.page()
