"""healthdash: deep learning on health data that shows its reasons and its limits.

For research and education, not for clinical use.
"""

__version__ = "0.1.0"
DISCLAIMER = "For research and education, not for clinical use."
