"""Pictures: chest X-rays and slices of lung CT."""

from .own import OwnImages
from .task import ChestXray, LungCt

TASKS = (ChestXray(), LungCt(), OwnImages())
