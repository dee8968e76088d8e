"""The loop: step, report, evaluate, save, and leave in good order."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor

from posegen.checkpoint import BEST, LAST, CheckpointInfo, Lineage, are_finite, save_checkpoint
from posegen.config import TrainConfig
from posegen.data.samplers import Sampler
from posegen.training.evaluation import Score, cost, evaluate
from posegen.training.interrupt import Interrupt
from posegen.training.peers import Peers
from posegen.training.progress import Reporter
from posegen.training.resume import save_resume
from posegen.training.samples import sample_grid, write_grid
from posegen.training.state import TrainingState, learning_rate
from posegen.training.step import train_step
from posegen.training.tensors import Tensors, to_tensors
from posegen_runtime.errors import PoseGenError

REPORT_EVERY = 10


class TrainingDiverged(PoseGenError):
    """A loss or a weight is NaN or infinite; the last good checkpoint was kept."""


@dataclass
class Loop:
    state: TrainingState
    config: TrainConfig
    lineage: Lineage
    fabric: Fabric
    peers: Peers
    sampler: Sampler
    validation: list[Tensors]
    shown: Tensors
    reporter: Reporter
    run_folder: Path
    save_every: int
    sample_every: int
    score: Score | None = None
    _pending: list[dict[str, Tensor]] = field(default_factory=list)

    def run(self, interrupt: Interrupt) -> int:
        """Train to `config.steps`; returns 0, or 130 or 143 when a signal ended it early."""
        state, steps = self.state, self.config.steps
        interrupt.graceful = True
        with self.reporter.running(), ThreadPoolExecutor(1) as reader:
            coming = reader.submit(self.sampler.batch, state.step)
            while state.step < steps:
                batch = coming.result()
                coming = reader.submit(self.sampler.batch, state.step + 1)
                tensors = to_tensors(batch, self.config.model, self.fabric.device)
                self._pending.append(train_step(state, tensors, self.config, self.fabric))
                stop = self._stops(interrupt)
                self._after_step(last=state.step == steps, stop=stop)
                if stop:
                    self.reporter.say(
                        f"stopped at step {state.step}, saved; repeat the command to go on"
                    )
                    return interrupt.exit_code
        return 0

    def _stops(self, interrupt: Interrupt) -> bool:
        """Whether to leave now. The processes agree, so that none waits for another."""
        interrupt.received = self.peers.highest(interrupt.received or 0) or None
        return interrupt.received is not None

    def _after_step(self, last: bool, stop: bool) -> None:
        step = self.state.step
        evaluates = last or step % self.config.evaluate_every == 0
        # Weights without a way on would have to be trained again after a kill.
        saves = last or stop or evaluates or step % self.save_every == 0
        samples = last or step % self.sample_every == 0
        if saves or samples or step % REPORT_EVERY == 0:
            self._report_losses()
        if saves:
            self._check_weights()
        if saves or samples:
            self.peers.together(lambda: self._write(evaluates, samples, saves))

    def _write(self, evaluates: bool, samples: bool, saves: bool) -> None:
        """What the first process alone does, while the others wait."""
        if not self.peers.is_first:
            return
        step = self.state.step
        if evaluates:
            self._evaluate()
        if samples:
            grid = sample_grid(self.state.ema.module, self.shown)
            write_grid(self.run_folder / "samples" / f"step_{step:07d}.png", grid)
            self.reporter.grid(step, grid)
        if saves:
            self._save_checkpoint(LAST)
            save_resume(self.run_folder, self.state, self.config, self.lineage, self.fabric)

    def _report_losses(self) -> None:
        """Means since the last report. The device is asked only here, not at every step."""
        names = list(self._pending[0])
        stacked = torch.stack([torch.stack(list(p.values())).float() for p in self._pending])
        self._pending.clear()
        means = self.fabric.all_reduce(stacked.mean(dim=0), reduce_op="mean")
        assert isinstance(means, Tensor)
        if not torch.isfinite(means).all():
            self._diverged(_first_bad(names, stacked, self.state.step))
        values = dict(zip(names, means.tolist(), strict=True))
        self.reporter.losses(self.state.step, values, learning_rate(self.config, self.state.step))

    def _check_weights(self) -> None:
        state = self.state
        for module in (state.ema.module, state.plain_generator, state.plain_discriminator):
            if not are_finite(module.state_dict()):
                self._diverged(f"a weight is NaN or infinite by step {self.state.step}")

    def _diverged(self, what: str) -> None:
        files = (self.run_folder / name for name in (LAST, BEST))
        kept = next((file for file in files if file.exists()), None)
        advice = (
            f"{kept} is the last good checkpoint; fine-tune it into another --out with a lower "
            "--learning-rate"
            if kept
            else "no checkpoint was saved before; lower --learning-rate"
        )
        raise TrainingDiverged(f"training diverged: {what}; {advice}")

    def _evaluate(self) -> None:
        state = self.state
        state.metrics = evaluate(state.ema.module, self.validation)
        if self.score is not None:
            state.metrics |= self.score(state.ema.module)
        figure = cost(state.metrics)
        is_best = figure is None or state.best is None or figure < state.best
        if is_best:
            state.best = figure
            self._save_checkpoint(BEST)
        self.reporter.metrics(state.step, state.metrics, is_best)

    def _save_checkpoint(self, name: str) -> None:
        info = CheckpointInfo(
            train_config=self.config,
            step=self.state.step,
            lineage=self.lineage,
            metrics=self.state.metrics,
        )
        save_checkpoint(
            self.run_folder / name, self.state.ema.module, self.state.plain_discriminator, info
        )


def _first_bad(names: list[str], rows: Tensor, last_step: int) -> str:
    """Which losses were not finite first. `rows` [K, L]: losses of the last K steps."""
    bad = ~torch.isfinite(rows).cpu()
    if not bad.any():
        return f"a loss is NaN or infinite on another device by step {last_step}"
    row = int(bad.any(dim=1).nonzero()[0])
    losses = ", ".join(
        name for name, is_bad in zip(names, bad[row].tolist(), strict=True) if is_bad
    )
    return f"loss {losses} is NaN or infinite at step {last_step - len(rows) + 1 + row}"
