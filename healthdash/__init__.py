"""healthdash: deep learning on health data that shows its reasons and its limits.

For research and education, not for clinical use.
"""

import os

# Threads of OpenMP that wait for one another keep their cores busy unless they are told to sleep: on cores
# that another program needs, gradient boosting took ten to a hundred times as long. OpenMP reads this once,
# when scikit-learn is imported; TensorFlow has threads of its own.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
DISCLAIMER = "For research and education, not for clinical use."
