"""What a run tells: a progress bar on a terminal, plain lines in a log, curves in TensorBoard."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.utils.tensorboard import SummaryWriter

from posegen.data.prepared import Pixels

LINE_EVERY = 100


@contextmanager
def reading_progress() -> Iterator[Callable[[int, int], None]]:
    """A bar for decoding the data set; it vanishes at the end, and shows on a terminal only."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("reading images"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("")
        yield lambda done, total: bar.update(task, completed=done, total=total)


class Reporter:
    """Reports from the first process of a run; the others are silent (`enabled` False)."""

    def __init__(self, run: Path, first_step: int, steps: int, enabled: bool) -> None:
        self.console = Console(stderr=True)
        self.steps = steps
        self._writer = (
            # Curves after the step that is resumed from were drawn by the part that was lost.
            SummaryWriter(str(run / "tensorboard"), purge_step=first_step + 1) if enabled else None
        )
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}"),
            console=self.console,
            disable=not enabled or not self.console.is_terminal,
        )
        self._task = self._bar.add_task("", total=steps, completed=first_step, rate="", losses="")
        self._mark = (time.perf_counter(), first_step)

    def say(self, message: str) -> None:
        if self._writer is not None:
            self.console.print(message, highlight=False, markup=False, soft_wrap=True)

    def losses(self, step: int, values: dict[str, float], learning_rate: float) -> None:
        if self._writer is None:
            return
        for name, value in values.items():
            self._writer.add_scalar(f"loss/{name}", value, step)
        self._writer.add_scalar("learning_rate", learning_rate, step)
        text = " ".join(f"{name} {value:.3f}" for name, value in values.items())
        now = time.perf_counter()
        rate = (step - self._mark[1]) / max(now - self._mark[0], 1e-9)
        self._bar.update(self._task, completed=step, rate=f"{rate:.2f} steps/s", losses=text)
        if step - self._mark[1] < LINE_EVERY and step != self.steps:
            return
        self._mark = (now, step)
        if not self.console.is_terminal:
            left = (self.steps - step) / max(rate, 1e-9) / 60
            self.say(f"step {step}/{self.steps}  {rate:.2f} steps/s  {left:.0f} min left  {text}")

    def metrics(self, step: int, values: dict[str, float], best: bool) -> None:
        if self._writer is None or not values:
            return
        for name, value in values.items():
            self._writer.add_scalar(f"val/{name}", value, step)
        text = " ".join(f"{name} {value:.5f}" for name, value in values.items())
        self.say(f"step {step}  {text}{'  (best)' if best else ''}")

    def grid(self, step: int, grid: Pixels) -> None:
        if self._writer is not None:
            self._writer.add_image("samples", grid, step, dataformats="HWC")

    @contextmanager
    def running(self) -> Iterator[None]:
        with self._bar:
            yield
        if self._writer is not None:
            self._writer.close()
