"""What a run costs besides inference, by `posegen-run --backend null`; used by `throughput.py`.

Each figure is the difference of a long and a short run, so that starting and ending count for
nothing. Stages are the wall clock's, as the ledger has them, median over the images: a stage that
waits for its turn on a core counts the waiting. The processor's time is what was really needed.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from run_command import done_images, new_output, run_command, steady_rate

STAGES = ("read", "infer", "encode", "write")
WANTED = (5_000, 20_000)
"""Images a second that the estimate is for."""
ON_CORES = 16


def measure_once(folder: Path, few: Path, masks: Path, given: Sequence[str], cores: int) -> Any:
    """Figures of one short and one long run, over the masks of `few` and of `masks`."""
    chosen = set(sorted(_available())[:cores])
    used, rows = {}, {}
    for name, source in (("few", few), ("many", masks)):
        out = new_output(folder)
        options = ["--masks", str(source), *given, "--backend", "null"]
        used[name] = run_command(out, options, chosen)
        rows[name] = done_images(out)
    more = len(rows["many"]) - len(rows["few"])
    stages = {
        stage: 1e3 * statistics.median(row.timings[stage] for row in rows["many"])
        for stage in STAGES
    }
    return {
        "images_per_second": steady_rate(rows["many"]),
        "main_cpu_ms": 1e3 * (used["many"].cpu - used["few"].cpu) / more,
        "workers_cpu_ms": 1e3 * (used["many"].workers_cpu - used["few"].workers_cpu) / more,
        **{f"{stage}_ms": milliseconds for stage, milliseconds in stages.items()},
    }


def summary(measured: Sequence[dict[str, float]]) -> dict[str, float]:
    """Medians of the rounds, and what no stage accounts for."""
    figures = {key: statistics.median(one[key] for one in measured) for key in measured[0]}
    figures["cpu_ms"] = figures["main_cpu_ms"] + figures["workers_cpu_ms"]
    figures["rest_ms"] = figures["cpu_ms"] - sum(figures[f"{stage}_ms"] for stage in STAGES)
    return figures


def estimate(figures: dict[str, float]) -> list[str]:
    """What the rates of `WANTED` would take, in words: an estimate, for nothing ran so fast."""
    lines = []
    for rate in WANTED:
        cores = rate * figures["cpu_ms"] / 1e3
        share = rate * figures["main_cpu_ms"] / 1e3
        lines.append(
            f"estimate: {rate} images/s would need {cores:.1f} cores like these beside inference"
            f" ({ON_CORES} give at most {ON_CORES * 1e3 / figures['cpu_ms']:.0f}), of which the "
            f"main process {share:.1f}; more than 1 there is too much for one interpreter, but for "
            "what its libraries do without its lock"
        )
    return lines


def _available() -> set[int]:
    import os

    return os.sched_getaffinity(0)
