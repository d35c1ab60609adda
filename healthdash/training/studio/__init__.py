"""Own models: one way from labelled items of any kind to a trained, measured and explained bundle.

    Labelled -> split by group -> Prepared (fitted on training items only) -> network -> fit
             -> calibration -> evaluation -> Bundle

A task gives its data as `Labelled`; everything else is shared by tables, pictures and signals.
"""

from healthdash.training.studio.items import Labelled, Prepared

__all__ = ["Labelled", "Prepared"]
