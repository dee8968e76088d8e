"""What the paper's authors published of TeslaPose, beside the checkout or where
$POSEGEN_TESLAPOSE says."""

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
AUTHORS = Path(os.environ.get("POSEGEN_TESLAPOSE", CHECKOUT.parent / "shared/teslapose-sample"))
RESULTS = AUTHORS / "authors-per-image-results.csv"

needs_authors = pytest.mark.skipif(
    not AUTHORS.is_dir(), reason="the authors' photos and results, which are not ours to share"
)
