"""How much is tried: SEQDIS_FUZZ=20 tries twenty times as many examples."""

import os

FUZZ = int(os.environ.get("SEQDIS_FUZZ", "1"))
