"""Measure the conditions that each model keeps, once."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from posegen.evaluation.figures import results
from posegen.evaluation.judges import Judges
from posegen.evaluation.measure import Evaluator
from posegen.evaluation.samples import Samples
from posegen.experiments.conditions import Conditions
from posegen.experiments.measured import SCHEMA
from posegen.experiments.scoring import Candidate
from posegen.watching import watched
from posegen_runtime import __version__
from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import write_atomic

FILE = "conditions.json"


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
        parts = (
            SCHEMA,
            __version__,
            about,
            self.judge,
            self.seed,
            candidate.title,
            candidate.identity,
        )
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
