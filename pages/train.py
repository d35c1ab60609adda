"""The page that trains a model on own data."""

from healthdash.ui import training

training.page()
