"""The figures of all trainings as one table: mean and spread over seeds, for people and programs."""

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
HEAD = (
    "| trained on | segmenter IoU | yaw error, median | yaw wrong by > 90° |",
    "|---|---|---|---|",
)


def markdown(scores: Scores) -> str:
    """A row a set. Figures are the mean over the seeds, with the lowest and the highest."""
    lines = list(HEAD)
    for name, found in scores.items():
        cells = [f"**{name.value}**: {name.meaning}", _cell([one.iou for one in found], "{:.3f}")]
        for field, text in (("yaw_median", "{:.1f}°"), ("yaw_flipped", "{:.1%}")):
            values = [getattr(one, field) for one in found]
            cells.append("no poses" if None in values else _cell(values, text))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def write(scores: Scores, config: Config, notes: Mapping[str, Any], out: Path) -> None:
    """table.md, scores.csv (a line a training) and table.json below `out`. `notes` go into the
    JSON."""
    write_atomic(out / "table.md", markdown(scores).encode())
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("set", "seed", "iou", "yaw_median_deg", "yaw_share_over_90"))
    for name, found in scores.items():
        for seed, one in enumerate(found):
            writer.writerow((name.value, seed, one.iou, one.yaw_median, one.yaw_flipped))
    write_atomic(out / "scores.csv", text.getvalue().encode())
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
    for field in ("iou", "yaw_median", "yaw_flipped"):
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
