"""`python -m healthdash.runs`: look after the runs of this home folder until none is left."""

import logging

from healthdash import settings
from healthdash.runs.dispatcher import Dispatcher
from healthdash.runs.queue import opened, place_of

if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    chosen = settings.current()
    Dispatcher(opened(chosen), chosen.runs, place_of(chosen.runs), chosen.runs_at_once).serve()
