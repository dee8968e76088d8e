"""The sensitivity report: a table for people, one for programs, and a plot."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from posegen_calibration.sensitivity import Effect, Step
from posegen_runtime.images import write_png
from posegen_runtime.paths import write_atomic

ROW, LEFT, WIDTH, TOP = 22, 420, 1180, 64
"""Pixels of the plot: height of a row, room for names, width, and room above the rows."""
FLOAT, INT8, INK, GRID = (200, 80, 60), (70, 130, 180), (30, 30, 30), (220, 220, 220)
"""Colours (RGB): bars of layers kept in float and of those in INT8, text, lines."""
TOP_PSNR = 80
"""dB; more than that nobody tells apart."""


def write_report(folder: Path, effects: Sequence[Effect], steps: Sequence[Step]) -> None:
    """Write ``sensitivity.csv``, ``.md``, ``.json`` and ``.png`` into `folder`.

    Raises `PoseGenError` when a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = {"effects": list(effects), "steps": list(steps)}
    encoded = msgspec.json.format(msgspec.json.encode(content), indent=2)
    write_atomic(folder / "sensitivity.json", encoded + b"\n")
    write_atomic(folder / "sensitivity.csv", as_csv(effects).encode())
    write_atomic(folder / "sensitivity.md", as_markdown(effects).encode())
    write_png(folder / "sensitivity.png", plot(effects))


def as_csv(effects: Sequence[Effect]) -> str:
    """A row for each layer, the most sensitive first, under the names of `Effect`'s fields."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["layer", "channels_in", "channels_out", *_FIGURES, "share_of_work", "usual", "kept"]
    )
    for e in effects:
        values = [getattr(e, name) for name in _FIGURES]
        figures = ["" if value is None else f"{value:.4f}" for value in values]
        writer.writerow(
            [e.layer, *e.channels, *figures, f"{e.share_of_work:.4f}", e.usual, int(e.kept)]
        )
    return text.getvalue()


def as_markdown(effects: Sequence[Effect]) -> str:
    """The same for a page: PSNR with that layer alone in INT8, against the float model."""
    lines = [
        "| layer | channels | PSNR dB | inside | golden | SSIM | share of error | of work | in |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for e in effects:
        usual = f" ({e.usual})" if e.usual else ""
        golden = "" if e.psnr_golden is None else f"{e.psnr_golden:.1f}"
        lines.append(
            f"| `{e.layer}`{usual} | {e.channels[0]} → {e.channels[1]} | {e.psnr_whole:.1f} | "
            f"{e.psnr_inside:.1f} | {golden} | {e.ssim:.3f} | {e.share_of_error:.1%} | "
            f"{e.share_of_work:.1%} | {'float' if e.kept else 'INT8'} |"
        )
    return "\n".join(lines) + "\n"


def plot(effects: Sequence[Effect]) -> npt.NDArray[np.uint8]:
    """RGB uint8 [H, W, 3]: for each layer a bar up to its PSNR inside the silhouette, a tick at
    that of the whole image and a ring at that of the golden set."""
    height = TOP + ROW * len(effects) + 12
    picture = np.full((height, WIDTH, 3), 255, np.uint8)
    values = [min(v, TOP_PSNR) for e in effects for v in _psnrs(e)]
    low = max(10 * int(min(values) // 10), 0)
    high = max(10 * int(-(-max(values) // 10)), low + 10)

    def x(value: float) -> int:
        share = (min(value, high) - low) / (high - low)
        return LEFT + round(share * (WIDTH - LEFT - 80))

    _text(
        picture, "PSNR in dB with this layer alone in INT8: the shorter, the worse", (12, 22), 0.6
    )
    legend = "bar: inside the silhouette (red: stays in float, blue: INT8)"
    _text(picture, f"{legend}; tick: whole image; ring: golden set", (12, 44), 0.45)
    for value in range(low, high + 1, 10):
        cv2.line(picture, (x(value), TOP), (x(value), height), GRID, 1)
        _text(picture, str(value), (x(value) - 8, TOP - 4), 0.4)
    for row, e in enumerate(effects):
        top, bottom = TOP + ROW * row + 4, TOP + ROW * (row + 1) - 3
        colour = FLOAT if e.kept else INT8
        cv2.rectangle(picture, (LEFT, top), (x(e.psnr_inside), bottom), colour, -1)
        cv2.line(picture, (x(e.psnr_whole), top), (x(e.psnr_whole), bottom), INK, 2)
        if e.psnr_golden is not None:
            cv2.circle(picture, (x(e.psnr_golden), (top + bottom) // 2), 5, INK, 1, cv2.LINE_AA)
        name = e.layer.removeprefix("generator.")
        _text(picture, f"{name}{f' ({e.usual})' if e.usual else ''}", (12, bottom - 3), 0.45)
        _text(picture, f"{e.psnr_inside:.1f}", (WIDTH - 50, bottom - 3), 0.4)
    return picture


def _psnrs(e: Effect) -> list[float]:
    return [v for v in (e.psnr_inside, e.psnr_whole, e.psnr_golden) if v is not None]


_FIGURES = ("psnr_whole", "psnr_inside", "psnr_golden", "ssim", "share_of_error")


def _text(picture: npt.NDArray[np.uint8], text: str, at: tuple[int, int], size: float) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, INK, 1, cv2.LINE_AA)
