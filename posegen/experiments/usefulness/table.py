"""The figures of all trainings as tables, for people and programs: mean and spread over seeds."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from posegen.experiments.usefulness.config import Config
from posegen.experiments.usefulness.learners import Score
from posegen.experiments.usefulness.sets import Set
from posegen_runtime.paths import write_atomic

Scores = Mapping[Set, Sequence[Score]]
_FIELDS = {"iou": "{:.3f}", "yaw_median": "{:.1f}°", "yaw_flipped": "{:.1%}"}


def markdown(scores: Scores, first: str, maker: str = "") -> str:
    """A row a set under the heading `first`. Figures are the mean over the seeds, with the lowest
    and the highest. `maker` tells what made PoseGen's images."""
    lines = [
        f"| {first} | segmenter IoU | yaw error, median | yaw wrong by > 90° |",
        "|---|---|---|---|",
    ]
    for name, found in scores.items():
        cells = [f"**{name.value}**: {name.meaning}{maker if name is Set.POSEGEN else ''}"]
        for field, text in _FIELDS.items():
            values = [getattr(one, field) for one in found]
            cells.append("no poses" if None in values else _cell(values, text))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def write(scores: Scores, text: str, config: Config, notes: Mapping[str, Any], out: Path) -> None:
    """table.md, which is `text`, scores.csv, a line a training, and table.json below `out`. `notes`
    go into the JSON."""
    write_atomic(out / "table.md", text.encode())
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(("set", "seed", "iou", "yaw_median_deg", "yaw_share_over_90"))
    for name, found in scores.items():
        for seed, one in enumerate(found):
            writer.writerow((name.value, seed, one.iou, one.yaw_median, one.yaw_flipped))
    write_atomic(out / "scores.csv", lines.getvalue().encode())
    content = {
        "options": msgspec.to_builtins(config),
        "sets": {name.value: _summary(found) for name, found in scores.items()},
        **notes,
    }
    write_atomic(out / "table.json", msgspec.json.format(msgspec.json.encode(content)))


def _cell(values: Sequence[float], text: str) -> str:
    mean = text.format(float(np.mean(values)))
    if len(values) == 1:
        return mean
    return f"{mean} ({text.format(min(values))} – {text.format(max(values))})"


def _summary(found: Sequence[Score]) -> dict[str, Any]:
    result: dict[str, Any] = {"seeds": len(found)}
    for field in _FIELDS:
        values = [getattr(one, field) for one in found]
        if None in values:
            result[field] = None
            continue
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
        result[field] = {
            "mean": float(np.mean(values)),
            "sd": spread,
            "min": min(values),
            "max": max(values),
        }
    return result
