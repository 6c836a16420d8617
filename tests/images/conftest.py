"""Disks that are too large for the checkout: `scripts/test-images DIR`, else nothing here runs."""

from __future__ import annotations

import os

ENVIRONMENT = "DISKWRIGHT_IMAGES"

collect_ignore_glob = [] if os.environ.get(ENVIRONMENT) else ["test_*.py"]
