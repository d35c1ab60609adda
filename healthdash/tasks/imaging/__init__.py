"""Pictures: chest X-rays and slices of lung CT."""

from .task import ChestXray, LungCt

TASKS = (ChestXray(), LungCt())
