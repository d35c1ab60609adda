"""`python -m healthdash.runs`: look after the runs of this home folder until none is left."""

import logging

from healthdash import settings
from healthdash.runs.places import dispatched
from healthdash.runs.queue import opened

if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    chosen = settings.current()
    dispatched(opened(chosen), chosen.runs, chosen.runs_at_once).serve()
