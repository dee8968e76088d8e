"""What `posegen data photos` says at its end: the counts, and what it decided by itself."""

from pathlib import Path

from posegen.data.photo_groups import ALL, ENOUGH_GROUPS
from posegen.data.photos import DROPPED, SHEET, Outcome

_LISTED = 5


def report(outcome: Outcome, out: Path, has_groups: bool, has_scenes: bool) -> list[str]:
    """Lines for the user; the first one's counts add up."""
    used = outcome.found - len(outcome.dropped)
    splits = ", ".join(f"{name} {count}" for name, count in outcome.splits.items())
    lines = [
        f"{out}: {outcome.found} photos, {used} used ({splits}), {len(outcome.dropped)} dropped",
        _groups(outcome, has_groups),
        f"backgrounds: {used - outcome.filled} empty scenes, {outcome.filled} photos with the "
        "object filled in",
    ]
    unmatched = outcome.filled - len(outcome.refused)
    if has_scenes and unmatched:
        lines.append(f"  {unmatched} photos have no empty scene of their name, or size and view")
    if outcome.refused:
        lines.append(f"  {len(outcome.refused)} empty scenes not used: {outcome.refused[0]}")
    if outcome.alone:
        lines.append(f"appearance: {outcome.alone} photos are alone in their group and show theirs")
    return [*lines, *closing(outcome, out)]


def closing(outcome: Outcome, out: Path) -> list[str]:
    """What was dropped and why, and where to look."""
    lines = [f"dropped {count}: {reason}" for reason, count in outcome.reasons.most_common()]
    for photo, reason in outcome.dropped[:_LISTED]:
        lines.append(f"  {photo}: {reason}")
    if len(outcome.dropped) > _LISTED:
        lines.append(f"  and {len(outcome.dropped) - _LISTED} more in {out / DROPPED}")
    return [*lines, f"contact sheet: {out / SHEET}"]


def _groups(outcome: Outcome, has_groups: bool) -> str:
    if not has_groups:
        return f"groups: all photos are taken for one object ({ALL}); tell them apart with --groups"
    by = "whole groups" if outcome.groups >= ENOUGH_GROUPS else "photos of each group"
    return f"groups: {outcome.groups}; held out for validation: {by}"
