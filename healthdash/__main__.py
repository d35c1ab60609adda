"""Entry of ``python -m healthdash``."""

import sys

from healthdash.cli import main

sys.exit(main())
