"""Random search over settings: draw, train each as a trial of its own, compare by validation figures alone.

    Space -> drawn settings -> trials (one fit each, on the same split) -> best by validation loss

The test part is put aside by the same split that training uses, and no trial looks at it.
"""

from healthdash.training.studio.search.space import Space, default_space, read_space

__all__ = ["Space", "default_space", "read_space"]
