"""How often chance is tried: once in `make test`, many times in `make bench` (SEEDS in the environment)."""

import os

SEEDS = int(os.environ.get("SEEDS", "1"))
