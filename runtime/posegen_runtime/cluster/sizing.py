"""How many actors a cluster gets, and what each takes."""

from collections.abc import Mapping, Sequence

import msgspec

from posegen_runtime.choices import BackendName
from posegen_runtime.errors import PoseGenError
from posegen_runtime.options import RunOptions

CPUS = 4
"""Of an actor beside no GPU: so many lanes share one loaded model, and so many images of a shard
are lost with it."""


class Machine(msgspec.Struct, frozen=True):
    """A machine of the cluster, by Ray's name, and what it has for actors."""

    node: str
    host: str
    cpus: int
    gpus: int


class Pool(msgspec.Struct, frozen=True):
    """`actors` processes that take so many cores and GPUs each, on these machines."""

    actors: int
    cpus: int
    gpus: int
    machines: Sequence[Machine]

    def __str__(self) -> str:
        share = _counted(self.cpus, "core") + (
            f" and {_counted(self.gpus, 'GPU')}" if self.gpus else ""
        )
        machines = _counted(len(self.machines), "machine")
        return f"{_counted(self.actors, 'actor')} with {share} each, on {machines}"


def machines_of(nodes: Sequence[Mapping]) -> list[Machine]:
    """Those that are alive, of what `ray.nodes()` says."""
    return [
        Machine(
            node=node["NodeID"],
            host=node.get("NodeManagerHostname", ""),
            cpus=int(node["Resources"].get("CPU", 0)),
            gpus=int(node["Resources"].get("GPU", 0)),
        )
        for node in nodes
        if node["Alive"]
    ]


def pool_for(options: RunOptions, machines: Sequence[Machine]) -> Pool:
    """What the options say; else with a GPU each where there are any, and there its share of the
    cores, or else with `CPUS` cores each.

    Raises `PoseGenError` where no machine has what an actor takes.
    """
    on_cpu = options.backend is not BackendName.AUTO and not options.backend.on_gpu
    gpus = options.actor_gpus
    if gpus is None:
        gpus = 1 if any(one.gpus for one in machines) and not on_cpu else 0
    fitting = [one for one in machines if one.cpus and one.gpus >= gpus]
    cpus = options.actor_cpus
    if cpus is None and gpus:
        cpus = min((max(1, one.cpus * gpus // one.gpus) for one in fitting), default=1)
    elif cpus is None:
        cpus = min((one.cpus for one in fitting), default=1)
        cpus = min(cpus, CPUS)
    fitting = [one for one in fitting if one.cpus >= cpus]
    if not fitting:
        most = max(machines, key=lambda one: (one.gpus, one.cpus), default=None)
        words = f"the largest has {most.cpus} and {most.gpus}" if most else "none is there"
        raise PoseGenError(
            f"--engine ray: an actor takes {cpus} cores and {gpus} GPUs, and of the cluster's "
            f"machines {words}; give other --actor-cpus or --actor-gpus"
        )
    room = sum(min(one.cpus // cpus, one.gpus // gpus if gpus else one.cpus) for one in fitting)
    return Pool(options.actors or room, cpus, gpus, fitting)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
