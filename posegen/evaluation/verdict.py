"""Is the model good? One line, from the figures that have a target."""

import msgspec

from posegen.evaluation import thresholds
from posegen.evaluation.figures import FIGURES, Result

WORDS = {
    "pose_iou_of_ceiling": ("pose", "IoU {value:.2f} of that of real photos"),
    "pose_iou": ("pose", "IoU {value:.2f}, {control:.2f} with shuffled masks"),
    "heading_reversed": ("heading", "{value:.1%} face the wrong way, {real:.1%} of real photos"),
    "background_psnr": ("background", "PSNR {value:.1f} dB"),
    "colour_error": ("colour", "ΔE {value:.1f}, {control:.1f} of one flat colour"),
    "sharpness_of_real": ("sharpness", "{value:.2f} of that of real photos"),
    "nearest_of_real": ("copying", "{value:.2f} of held-out photos' distance to training photos"),
}
"""Of each figure with a target: what is at fault, and how that shows."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`because`: every fault, none of a usable model. `not_judged`: what nothing is known of."""

    usable: bool
    because: tuple[str, ...] = ()
    not_judged: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        rest = f" (not judged: {', '.join(self.not_judged)})" if self.not_judged else ""
        if self.usable:
            return f"usable{rest}"
        return f"not usable because of {'; '.join(self.because)}{rest}"


def verdict(figures: dict[str, Result], inputs: tuple[str, ...]) -> Verdict:
    """Of a model that takes `inputs`. Without an IoU no model is usable; another figure that could
    not be measured is named, and does not count."""
    because: list[str] = []
    not_judged: list[str] = []
    for name, (fault, words) in WORDS.items():
        result = figures[name]
        if FIGURES[name].input not in inputs:
            continue
        if result.value is None:
            if fault != "pose":
                not_judged.append(f"{fault}, {result.missing}")
            elif name == "pose_iou":
                because.append(f"pose: not judged, {result.missing}")
        elif name == "heading_reversed" and (result.real or 0) > thresholds.HEADING_JUDGE:
            not_judged.append(
                f"heading, the regressor takes {result.real:.0%} of the real photos for reversed"
            )
        elif not result.met:
            shown = words.format(value=result.value, real=result.real, control=result.control)
            because.append(f"{fault}: {shown}, wanted {result.target}")
    ceiling = figures["pose_iou"].real
    if ceiling is not None and ceiling < thresholds.CEILING:
        because = [each for each in because if not each.startswith("pose:")]
        because.insert(
            0,
            f"the segmenter: IoU {ceiling:.2f} on the real photos, wanted ≥ "
            f"{thresholds.CEILING:g}; train one on such objects and name it with --judges",
        )
    return Verdict(usable=not because, because=tuple(because), not_judged=tuple(not_judged))
