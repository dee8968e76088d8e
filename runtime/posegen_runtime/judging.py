"""Which judges look at the images of a run, by its options."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from posegen_runtime.errors import PoseGenError
from posegen_runtime.judges import Heading, Segmenter, load_judge, shipped_judges
from posegen_runtime.ledger.identity import Value
from posegen_runtime.options import RunOptions
from posegen_runtime.poses import Three
from posegen_runtime.verify import MEASURE_ONLY, Verifier

FIGURE = "iou_p05"
"""Of a segmenter, on pictures that training never saw: the default of `--min-iou`."""


class Judging(msgspec.Struct, frozen=True):
    """The judges of a run, each with a graph that was checked and loaded."""

    segmenter: Segmenter
    heading: Heading | None
    min_iou: float
    viewpoints: Mapping[str, Three]

    def verifier(self, helpers: int) -> Verifier:
        return Verifier(self.segmenter, self.min_iou, self.heading, self.viewpoints, helpers)

    @property
    def hashes(self) -> dict[str, str | None]:
        """sha256 of each judge's graph, by the option that names it; None: it has none to judge."""
        heading = self.heading.manifest.sha256 if self.heading else None
        return {"segmenter": self.segmenter.manifest.sha256, "heading_judge": heading}

    @property
    def identity(self) -> dict[str, Value]:
        """What decides which images are rejected, by the names that the user knows."""
        values: dict[str, Value] = {"--verify": self.segmenter.engine, "--min-iou": self.min_iou}
        for name, digest in self.hashes.items():
            values[f"--{name.replace('_', '-')}"] = digest and digest[:16]
        return values

    def __str__(self) -> str:
        if self.min_iou == MEASURE_ONLY:
            return "verify: images are measured only (--min-iou 0), none is rejected"
        heading = ", and those of objects that face the wrong way" if self.heading else ""
        return f"verify: images with an IoU below {self.min_iou:.3f} are rejected{heading}"


def open_judging(options: RunOptions, viewpoints: Mapping[str, Three]) -> Judging | None:
    """The judges that `options` ask for; None without `--verify`.

    `viewpoints`: those known, by mask name, in the training frame. The heading judge that comes
    along knows cars, as the segmenter does: with another segmenter it is not asked.

    Raises `PoseGenError` for options that do nothing, a judge that is damaged or of another kind,
    and where nothing says how high an IoU must be.
    """
    if not options.verify:
        for name in ("segmenter", "heading_judge", "min_iou"):
            if getattr(options, name) is not None:
                raise PoseGenError(
                    f"--{name.replace('_', '-')}: does nothing by itself; add --verify"
                )
        return None
    if options.heading_judge is not None and not viewpoints:
        raise PoseGenError(
            f"--heading-judge {options.heading_judge}: no mask's heading is known; add --poses"
        )
    folders = judge_folders(options)
    segmenter = Segmenter(folders["segmenter"])
    heading = folders.get("heading_judge")
    return Judging(
        segmenter=segmenter,
        heading=_heading(heading) if heading and viewpoints else None,
        min_iou=_min_iou(options, segmenter),
        viewpoints=viewpoints,
    )


def judge_folders(options: RunOptions) -> dict[str, Path]:
    """Where the judges of these options are, by the option that names each."""
    shipped = shipped_judges()
    heading = options.heading_judge
    if heading is None and options.segmenter is None:
        heading = shipped / "heading"
    found = {"segmenter": options.segmenter or shipped / "segmenter"}
    return found if heading is None else found | {"heading_judge": heading}


def check_same(options: RunOptions, recorded: Mapping[str, object], file: Path) -> None:
    """Raise `PoseGenError` unless the judges are those whose hashes the record `file` holds."""
    for name, folder in judge_folders(options).items() if options.verify else ():
        there, here = recorded.get(f"{name}_sha256"), load_judge(folder).manifest.sha256
        if there is not None and there != here:
            raise PoseGenError(
                f"{file}: was made with another --{name.replace('_', '-')} ({str(there)[:12]}…) "
                f"than {folder} ({here[:12]}…); name the right one"
            )


def _heading(folder: Path) -> Heading:
    heading = Heading(folder)
    if heading.manifest.kind != "heading":
        raise PoseGenError(
            f"{folder}: is a judge of kind {heading.manifest.kind}, which sees masks and no "
            "images; name one of kind heading"
        )
    return heading


def _min_iou(options: RunOptions, segmenter: Segmenter) -> float:
    if options.min_iou is not None:
        return options.min_iou
    figure = segmenter.manifest.figures.get(FIGURE)
    if figure is None:
        raise PoseGenError(
            f"{segmenter.judge.root}: holds no {FIGURE}, what it reaches on held-out images; "
            "name --min-iou"
        )
    return round(figure, 4)
