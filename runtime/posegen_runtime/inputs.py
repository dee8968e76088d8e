"""Everything a run reads, found and understood before work starts."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import overload

import msgspec

from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import Axis, Fit
from posegen_runtime.demo import demo_inputs, demo_viewpoints
from posegen_runtime.errors import PoseGenError, printable
from posegen_runtime.frames.grouping import Frames, group
from posegen_runtime.frames.sizes import check_sizes
from posegen_runtime.images import read_rgb
from posegen_runtime.jobs import Job, distinct_pairs, find_images, plan
from posegen_runtime.labels.background import BackgroundLabels
from posegen_runtime.labels.categories import numbered
from posegen_runtime.masks import MaskReading, MaskValues, choose_reading
from posegen_runtime.options import DEFAULT_CATEGORY, RunOptions, parse_category
from posegen_runtime.pairs import Pair, plan_pairs, read_pairs
from posegen_runtime.parts import Part
from posegen_runtime.pose_sizes import check_pose_sizes
from posegen_runtime.poses import Pose, Three, read_poses
from posegen_runtime.progress import say
from posegen_runtime.sources import Source
from posegen_runtime.viewpoints import of_poses

OPENED_AT_START = 8
"""So many appearances or backgrounds are tried before a folder is taken for unreadable."""
CATEGORIES_SHOWN = 8


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """`appearances` and `backgrounds` are empty where the bundle takes none."""

    masks: Sequence[Source]
    frames: Frames
    """What the jobs are about: the masks, or under `--paste` the frames that they show."""
    appearances: Sequence[Source]
    backgrounds: Sequence[Source]
    reading: MaskReading
    poses: dict[str, Pose]
    known_viewpoints: dict[str, Three]
    """In the training frame, by mask name, those that are known."""
    takes_viewpoint: bool
    """Whether the bundle does."""
    categories: dict[str, int]
    """Category name to COCO id: the one that `--category NAME:ID` gives, else see
    `categories.numbered`, so the ids follow from which categories the poses have."""
    per_mask: int
    """As asked, but no more than there are different images of one mask."""

    pairs: list[Pair]
    """From `--pairs`; empty without."""
    paste: bool = False
    background_labels: BackgroundLabels | None = None

    @property
    def planned(self) -> int:
        """How many jobs that is, over all shards."""
        return len(self.pairs) or len(self.frames.sources) * self.per_mask

    def images(self, shard: Part) -> int:
        """How many images the jobs of `shard` make, as far as that is known: 0 where each makes one
        or, of a mask file with several objects, only reading tells."""
        members = self.frames.members
        if not members:
            return 0
        names = (pair.mask for pair in self.pairs) if self.pairs else self._names()
        return sum(len(members[name]) for name in shard.of(names))

    def _names(self) -> Iterator[str]:
        """Of the masks or frames of all jobs, without what `--pairs` lists."""
        return (source.name for source in self.frames.sources for _ in range(self.per_mask))

    @property
    def looks_by_object(self) -> bool:
        """Whether each object of a frame has an appearance of its own, and the job none."""
        return self.paste and (bool(self.frames.members) or self.reading.values is MaskValues.EACH)

    def jobs(self, seed: int) -> Iterator[Job]:
        """Every job, in order."""
        if self.pairs:
            return plan_pairs(self.pairs, self._by_kind())
        kinds = self._by_kind()
        masks, appearances, backgrounds = (
            kinds[kind] for kind in ("mask", "appearance", "background")
        )
        return plan(masks, appearances, backgrounds, self.per_mask, seed)

    def _by_kind(self) -> dict[str, Sequence[Source]]:
        looks = [] if self.looks_by_object else self.appearances
        return by_kind(self.frames.sources, looks, self.backgrounds)

    @property
    def viewpoints(self) -> dict[str, Three] | None:
        """Those that the bundle is told; None where it takes none."""
        return self.known_viewpoints if self.takes_viewpoint else None

    @property
    def masks_with_viewpoint(self) -> int:
        return sum(mask.name in self.known_viewpoints for mask in self.masks)


def find_inputs(options: RunOptions, bundle: Bundle) -> Inputs:
    """Raises `PoseGenError` for anything missing, unreadable or contradictory."""
    _check_apart(options)
    if options.paste:
        _check_paste(options, bundle)
    demo = demo_inputs(bundle) if options.masks is None else {}
    masks = demo.get("mask") or find_images(_named(options.masks), "--masks")
    appearances = _conditions("appearance", options.appearance, bundle, demo)
    backgrounds = _conditions("background", options.background, bundle, demo)
    reading = choose_reading(_Paths(masks), options.mask_values, options.mask_channel)
    poses = _poses(options.poses, masks, reading) if options.poses else {}
    each = reading.values is MaskValues.EACH
    annotated = _background_labels(options, backgrounds)
    if options.paste:
        check_sizes(masks, backgrounds, annotated.sizes if annotated else None)
    frames = group(masks, poses) if options.paste and not each else Frames(masks, {})
    pairs = []
    if options.pairs:
        if options.per_mask > 1:
            raise PoseGenError("--per-mask: --pairs lists every job itself; leave one of them out")
        drawn = options.paste and bool(frames.members or each)
        kinds = by_kind(frames.sources, [] if drawn else appearances, backgrounds)
        pairs = read_pairs(options.pairs, kinds, frames.members, looks_drawn=drawn)
    return Inputs(
        masks=masks,
        frames=frames,
        paste=options.paste,
        background_labels=annotated,
        appearances=appearances,
        backgrounds=backgrounds,
        reading=reading,
        poses=poses,
        known_viewpoints=_viewpoints(options, bundle, poses),
        takes_viewpoint=bundle.takes_viewpoint,
        categories=_categories(options.category, masks, poses),
        per_mask=min(options.per_mask, distinct_pairs(appearances, backgrounds)),
        pairs=pairs,
    )


def _background_labels(
    options: RunOptions, backgrounds: Sequence[Source]
) -> BackgroundLabels | None:
    """A file of other frames shows here and not on every job."""
    file = options.background_labels
    if file is None:
        return None
    if not options.paste or "coco" not in options.labels:
        missing = "coco to --labels" if options.paste else "--paste"
        raise PoseGenError(
            f"--background-labels {file}: is carried over into the COCO file of whole frames; add "
            f"{missing}, or leave it out"
        )
    labels = BackgroundLabels(file)
    if not any(labels.sizes.named(source.name) for source in backgrounds):
        raise PoseGenError(
            f"--background-labels {file}: has no image of the backgrounds, such as "
            f"{backgrounds[0].name}; file_name must be the path below their folder, or without any "
            "folder where the name is one file's"
        )
    labels.sizes.check_names(source.name for source in backgrounds)
    return labels


def _check_paste(options: RunOptions, bundle: Bundle) -> None:
    if options.fit not in (Fit.AUTO, Fit.OBJECT):
        raise PoseGenError(
            f"--fit {options.fit.value}: --paste puts a crop around the object back into its "
            "frame; use --fit object"
        )
    if "background" not in bundle.conditions:
        raise PoseGenError(
            f"--paste: the bundle {bundle.manifest.name} ({bundle.manifest.variant}) takes no "
            "background, so nothing that it makes fits into one; take another bundle"
        )
    if options.background is None:
        raise PoseGenError("--paste: name the full-size frames to paste into with --background")


class _Paths(Sequence[Path]):
    """Paths of sources, made when asked for: only a sample of the masks is looked at."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def __len__(self) -> int:
        return len(self._sources)

    @overload
    def __getitem__(self, index: int) -> Path: ...
    @overload
    def __getitem__(self, index: slice) -> "_Paths": ...
    def __getitem__(self, index: int | slice) -> "Path | _Paths":
        if isinstance(index, slice):
            return _Paths(self._sources[index])
        return self._sources[index].path


def by_kind(
    masks: Sequence[Source], appearances: Sequence[Source], backgrounds: Sequence[Source]
) -> dict[str, Sequence[Source]]:
    return {"mask": masks, "appearance": appearances, "background": backgrounds}


def _check_apart(options: RunOptions) -> None:
    """Neither may outputs be taken for inputs, nor inputs be replaced with an old output."""
    out = _real(options.out)
    for name in (
        *("masks", "appearance", "background", "background_labels"),
        *("poses", "mesh", "pairs", "bundle"),
        *("segmenter", "heading_judge"),
    ):
        given: Path | None = getattr(options, name)
        if given is None:
            continue
        source = _real(given)
        if source == out or out in source.parents or source in out.parents:
            option = f"--{name.replace('_', '-')} {given}"
            raise PoseGenError(
                f"--out {options.out}: lies inside {option}, or the other way round; "
                "name a folder apart from it"
            )


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # Path.resolve raises on a loop of links


def _named(masks: Path | None) -> Path:
    if masks is None:
        raise PoseGenError("--demo: the bundle has no golden set; name a folder with --masks")
    return masks


def _conditions(
    name: str, given: Path | None, bundle: Bundle, demo: Mapping[str, list[Source]]
) -> Sequence[Source]:
    """The images for one condition: the user's, the demo's, or the bundle's default."""
    option = f"--{name}"
    if name not in bundle.conditions:
        if given is not None:
            raise PoseGenError(
                f"{option} {given}: the bundle {bundle.manifest.name} "
                f"({bundle.manifest.variant}) takes none; leave it out"
            )
        return []
    if given is not None:
        sources = find_images(given, option)
        _check_some_open(sources)
        return sources
    if demo.get(name):
        return demo[name]
    default = bundle.manifest.defaults.get(name)
    if default is None:
        raise PoseGenError(
            f"{option}: the bundle {bundle.manifest.name} ({bundle.manifest.variant}) needs one "
            "and has no default; name a file or folder"
        )
    return [Source(bundle.path(default), f"bundle:{default}")]


def _check_some_open(sources: Sequence[Source]) -> None:
    """A wrong path or format shows here and not on every job; one broken file costs its rows."""
    first_error: PoseGenError | None = None
    for source in sources[:OPENED_AT_START]:
        try:
            read_rgb(source.path)
            return
        except PoseGenError as error:
            first_error = first_error or error
    if first_error:
        raise first_error


def _poses(path: Path, masks: Sequence[Source], reading: MaskReading) -> dict[str, Pose]:
    if reading.values is MaskValues.EACH:
        raise PoseGenError(
            "--poses gives one object a mask file and --mask-values each several; "
            "write one mask file for each object"
        )
    poses = read_poses(path)
    names = {mask.name for mask in masks}
    if names.isdisjoint(poses):
        raise PoseGenError(
            f"--poses {path}: names none of the masks; it has {next(iter(poses))}, "
            f"the masks folder has {masks[0].name}"
        )
    unused = [name for name in poses if name not in names]
    if unused:
        say(
            f"warning: --poses {path}: {len(unused)} of {len(poses)} poses name no mask in the "
            f"masks folder, such as {unused[0]}"
        )
    check_pose_sizes(path, masks, poses)
    return {name: pose for name, pose in poses.items() if name in names}


def _viewpoints(options: RunOptions, bundle: Bundle, poses: Mapping[str, Pose]) -> dict[str, Three]:
    """From the poses or, in a demo, from the bundle. Axes that would do nothing are refused."""
    found = of_poses(poses, options.model_forward, options.model_up)
    if (options.model_forward, options.model_up) != (Axis.X, Axis.Z):
        given = f"--model-forward {options.model_forward.value} --model-up {options.model_up.value}"
        used = bundle.takes_viewpoint or options.verify or "kitti" in options.labels
        if not used:
            raise PoseGenError(
                f"{given}: the bundle {bundle.manifest.name} ({bundle.manifest.variant}) takes no "
                "viewpoint; leave them out"
            )
        if not poses:
            raise PoseGenError(f"{given}: turn the viewpoints of poses; add --poses")
    return found or (demo_viewpoints(bundle) if options.masks is None else {})


def _categories(
    asked: str | None, masks: Sequence[Source], poses: Mapping[str, Pose]
) -> dict[str, int]:
    """The one asked for, else those of the poses in alphabetical order, else one default, which a
    mask without a pose also needs where the poses have several."""
    names = {pose.category for pose in poses.values()}
    if asked is not None:
        one = parse_category(asked)
        others = sorted(names - {*one, DEFAULT_CATEGORY})
        if others:
            more = ", …" if len(others) > CATEGORIES_SHOWN else ""
            say(
                f"--category {asked}: takes the place of the poses' categories "
                f"({', '.join(map(printable, others[:CATEGORIES_SHOWN]))}{more})"
            )
        return one
    if len(names) != 1 and len(poses) < len(masks):
        names.add(DEFAULT_CATEGORY)
    return numbered(names)
