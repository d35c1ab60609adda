"""Training: settings, splits by group, history, metrics with intervals, calibration, cards.

Knows nothing of a concrete task: the recipes are in the task folders.
"""

from healthdash.training.settings import TrainSettings

__all__ = ["TrainSettings"]
