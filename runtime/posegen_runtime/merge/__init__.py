"""`posegen-run --merge`: the shards of one run as the output that it would have without them."""

from posegen_runtime.merge.merging import merge

__all__ = ["merge"]
