"""Which layers INT8 costs the most, measured, and which of them therefore stay in float."""

import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
import onnx

from posegen_calibration.layers import Layer, borders
from posegen_calibration.quantize import quantize
from posegen_calibration.session import Feeds, Session
from posegen_runtime.parity import Bound, Gate, ParityFigures, compare

MARGIN = {"psnr": 2.5, "ssim": 0.01}
"""By how much the checks must beat the gate: other masks, and other conditions for the same masks,
have to keep it too, and sets of thirty images differ by 1 to 2 dB."""

TRIAL, GOLDEN = "trial", "golden"
"""Names of checks."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Check:
    """Inputs, and the images uint8 [N, H, W, 3] that are right for them."""

    name: str
    batches: Sequence[Feeds]
    reference: npt.NDArray[np.uint8]

    def figures(self, session: Session) -> ParityFigures:
        images = images_of(session, self.batches)
        masks = np.concatenate([feeds["mask"] for feeds in self.batches])
        return compare(images, self.reference, masks, ssim=True)


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What one layer does to the images when it alone is in INT8."""

    layer: str
    channels: tuple[int, int]
    share_of_work: float
    """Of the multiplications of all layers that INT8 can serve."""
    psnr_whole: float
    psnr_inside: float
    """In dB, against the float model on masks that calibration has not seen, over the image and
    inside the silhouette: the less, the more is lost."""
    psnr_golden: float | None = None
    """Inside the silhouette on the golden set, whose masks are partly random; None without one."""
    ssim: float
    share_of_error: float
    """Of the squared error inside the silhouette that all layers make, each alone."""
    usual: str = ""
    """"first", "last" or "narrow": layers that are usually kept in float, measured or not."""
    kept: bool = False
    why: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the choice: the figures of a check with `kept` layers in float."""

    check: str
    kept: int
    psnr: float
    ssim: float


def images_of(session: Session, batches: Sequence[Feeds]) -> npt.NDArray[np.uint8]:
    return np.concatenate([session.run(feeds)["image"] for feeds in batches])


def float_check(name: str, model: onnx.ModelProto, batches: Sequence[Feeds]) -> Check:
    """`model` itself says what is right."""
    return Check(name, batches, images_of(Session(model), batches))


def measure_effects(
    model: onnx.ModelProto,
    layers: Sequence[Layer],
    ranges: Mapping[str, float],
    trial: Check,
    golden: Check | None,
    tell: Tell,
) -> list[Effect]:
    """One effect for each layer, the most sensitive first."""
    on_trial, on_golden = [], []
    for number, layer in enumerate(layers, 1):
        alone = Session(quantize(model, [layer], ranges))
        on_trial.append(trial.figures(alone))
        on_golden.append(golden.figures(alone) if golden else None)
        if number % 10 == 0:
            tell(f"sensitivity: {number} of {len(layers)} layers")
    errors = [10 ** (-f.silhouette.psnr / 10) for f in on_trial]
    work = sum(layer.multiplications for layer in layers)
    usual = borders(model, layers)
    effects = [
        Effect(
            layer=layer.name,
            channels=layer.channels,
            share_of_work=layer.multiplications / work,
            psnr_whole=f.whole.psnr,
            psnr_inside=f.silhouette.psnr,
            psnr_golden=g.silhouette.psnr if g else None,
            ssim=f.ssim or 0.0,
            share_of_error=error / sum(errors),
            usual=usual.get(layer.name, "narrow" if layer.is_narrow else ""),
        )
        for layer, f, g, error in zip(layers, on_trial, on_golden, errors, strict=True)
    ]
    return sorted(effects, key=lambda effect: effect.psnr_inside)


def choose_kept(
    model: onnx.ModelProto,
    layers: Sequence[Layer],
    ranges: Mapping[str, float],
    effects: Sequence[Effect],
    checks: Sequence[Check],
    gate: Gate,
) -> tuple[list[Effect], list[Step]]:
    """`effects` with the layers marked that stay in float, and the steps that led there.

    The layers most sensitive on the trial stay, as few as let the trial keep `gate` with `MARGIN`;
    then, where there is a check "golden", those most sensitive on the golden set, until
    that keeps it too. The numbers are searched by halving. At least one layer is left in INT8,
    whatever the checks say.
    """
    wanted = with_margin(gate)
    kept: list[Effect] = []
    steps: list[Step] = []

    def passes(check: Check, floats: Sequence[Effect]) -> bool:
        names = {effect.layer for effect in floats}
        rest = [layer for layer in layers if layer.name not in names]
        figures = check.figures(Session(quantize(model, rest, ranges)))
        steps.append(
            Step(check=check.name, kept=len(names), psnr=figures.psnr, ssim=figures.ssim or 0.0)
        )
        return not wanted.missed(figures)

    for check in checks:
        figure = "psnr_golden" if check.name == GOLDEN else "psnr_inside"
        order = sorted((e for e in effects if e not in kept), key=lambda e: getattr(e, figure))
        count = bisect.bisect_left(
            range(len(order) - 1),
            True,
            key=lambda n, c=check, o=order: passes(c, [*kept, *o[:n]]),  # type: ignore[misc]
        )
        kept += order[:count]
    return [_kept(effect) if effect in kept else effect for effect in effects], steps


def with_margin(gate: Gate) -> Gate:
    bounds = tuple(
        Bound(bound.figure, bound.limit + MARGIN.get(bound.figure, 0.0), bound.at_most)
        for bound in gate.bounds
    )
    return Gate(gate.precision, bounds)


def _kept(effect: Effect) -> Effect:
    golden = "" if effect.psnr_golden is None else f", on the golden set {effect.psnr_golden:.1f}"
    usual = f"; the {effect.usual} convolution" if effect.usual in ("first", "last") else ""
    why = (
        f"alone in INT8 it leaves {effect.psnr_inside:.1f} dB inside the silhouette{golden}; "
        f"{effect.share_of_error:.0%} of the error of all layers{usual}"
    )
    return msgspec.structs.replace(effect, kept=True, why=why)
