"""One run on all machines of a Ray cluster; Ray is imported where it is used."""

from posegen_runtime.cluster.engine import open_cluster

__all__ = ["open_cluster"]
