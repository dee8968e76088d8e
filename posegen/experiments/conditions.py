"""Which conditions a model keeps: figures of `posegen evaluate`, a row a model that takes masks.

The paper's tables do not say whether the background stays, the appearance arrives, or the object
faces the right way.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from posegen.evaluation.figures import FIGURES, Result, results
from posegen.evaluation.judges import Judges
from posegen.evaluation.measure import Evaluator
from posegen.evaluation.samples import Samples
from posegen.experiments.scoring import Candidate
from posegen.watching import watched
from posegen_runtime import __version__
from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import write_atomic

FILE = "conditions.json"
SHOWN = {
    "pose_iou_of_ceiling": "pose IoU / real",
    "heading_reversed": "heading wrong by > 90°",
    "background_psnr": "background PSNR, dB",
    "colour_error": "colour error, ΔE",
    "sharpness_of_real": "sharpness / real",
}
NONE = "-"


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """Of one model. `of`: hash of all that the figures follow from."""

    of: str
    method: str
    figures: dict[str, Result]


@dataclass(frozen=True)
class ConditionsBench:
    """`judge` says whether the `judges` are the same as before."""

    samples: Samples
    judges: Judges
    judge: str
    seed: int
    at_once: int

    def measure(self, candidate: Candidate, folder: Path) -> Conditions:
        """What `folder` holds of the very same, else measured now and stored there.

        Raises `PoseGenError` where what it holds is unreadable.
        """
        assert candidate.model is not None
        of = self._identity(candidate)
        file = folder / FILE
        if file.is_file():
            try:
                held = msgspec.json.decode(file.read_bytes(), type=Conditions)
            except (OSError, msgspec.DecodeError) as error:
                raise PoseGenError(f"{file}: unreadable ({error}); remove it") from None
            if held.of == of:
                return held
        print(f"measuring the conditions of {candidate.key}", flush=True)
        evaluator = Evaluator(candidate.model(), self.judges, seed=self.seed)
        with watched(candidate.title, len(self.samples)) as done:
            columns = evaluator.measure(self.samples, self.at_once, done)
        found = Conditions(of=of, method=candidate.title, figures=results(columns, self.seed))
        write_atomic(file, msgspec.json.encode(found))
        return found

    def _identity(self, candidate: Candidate) -> str:
        samples = self.samples
        about = (samples.description.sha256, samples.split, len(samples), samples.size)
        parts = (__version__, about, self.judge, self.seed, candidate.title, candidate.identity)
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def conditions_table(rows: Sequence[Conditions]) -> str:
    """Markdown: a row a model, then the real photos and the controls, which are those of all."""
    lines = ["| | " + " | ".join(SHOWN.values()) + " |", "|---" * (len(SHOWN) + 1) + "|"]
    for row in rows:
        lines.append(_line(row.method, [row.figures[name].value for name in SHOWN]))
    first = {
        name: next((r.figures[name] for r in rows if r.figures[name].value is not None), None)
        for name in SHOWN
    }
    real = [None if each is None else each.real for each in first.values()]
    control = [None if each is None else each.control for each in first.values()]
    lines.append(_line("real photos", real))
    lines.append(_line("control: shuffled masks, outline alone, flat colour", control))
    return "\n".join(lines)


def _line(title: str, values: Sequence[float | None]) -> str:
    cells = [_cell(name, value) for name, value in zip(SHOWN, values, strict=True)]
    return "| " + " | ".join([title, *cells]) + " |"


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return NONE
    figure = FIGURES[name]
    return f"{value:.{figure.digits}%}" if figure.percent else f"{value:.{figure.digits}f}"
