"""Which workers a run gets."""

from collections.abc import Callable

from posegen_runtime.generator import PoseGenerator
from posegen_runtime.shape import Shapes, available_cores
from posegen_runtime.workers.base import Prepare, Workers, Writer
from posegen_runtime.workers.threads import InLane, ThreadWorkers


def choose_workers(
    generator: PoseGenerator, make_preparer: Callable[[], Prepare], writer: Writer, shapes: Shapes
) -> Workers:
    """None on a CPU: each lane reads and writes by itself. Else one for each core."""
    if generator.choice.backend.leaves_cpu:
        return ThreadWorkers(make_preparer(), writer, available_cores())
    return InLane(make_preparer(), writer)
