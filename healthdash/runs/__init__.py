"""Training runs that outlive the app: a store of what was asked, a queue, and a folder a run.

The app writes wishes into the store (train this, stop, resume, delete). One dispatcher a home folder, a
process of its own, starts the trainings and records how they end; it and they go on without the app.
"""

from healthdash.runs.record import OVER, Run, State, Told
from healthdash.runs.store import RunStore

__all__ = ["OVER", "Run", "RunStore", "State", "Told"]
