"""The same training and prediction on a Ray cluster, when HEALTHDASH_RAY_ADDRESS is set.

    runs.py        trainings and trials of the queue, each a task
    fits.py        folds and members of one training, each a task
    predicting.py  batch prediction of many files through Ray Data
    workers.py     one network on several workers, through tf.distribute

A task that is lost with its worker is done again elsewhere, from its last checkpoint: so the folders of
runs and models must be on storage that all nodes share (docs/scale-out.md).
"""

from healthdash.scale.cluster import fitting, is_on

__all__ = ["fitting", "is_on"]
