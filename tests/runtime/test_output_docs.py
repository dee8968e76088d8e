"""Every recipe of docs/output.md runs on a real output."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from posegen_runtime.cli import app
from posegen_runtime.console import run_app

PAGE = Path(__file__).parents[2] / "docs" / "output.md"
RECIPES = re.findall(r"^## (\S+).*?```python\n(.*?)```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
POSE = (
    '{"mask": "a.png", "R_m2c": [0,-1,0,0,0,-1,1,0,0], "t_m2c": [0,0,5], "t_unit": "m", '
    '"cam_K": [100,0,64,0,100,64,0,0,1], "image_size": [128,128], "camera_frame": "opencv", '
    '"pixel_center": "integer", "dims_hwl_m": [3, 4, 1]}\n'
)


MakeOut = Callable[..., Path]


@pytest.fixture
def make_out(tiny_bundle: Path, masks: Path, tmp_path: Path) -> MakeOut:
    def make(*more: str) -> Path:
        out = tmp_path / f"out{''.join(more)}"
        (tmp_path / "poses.jsonl").write_text(POSE)
        arguments = ["--masks", masks, "--bundle", tiny_bundle, "--out", out]
        arguments += ["--poses", tmp_path / "poses.jsonl", *more]
        assert run_app(app, [str(argument) for argument in arguments]) == 0
        return out

    return make


@pytest.fixture
def out(make_out: MakeOut) -> Path:
    return make_out("--labels", "coco,yolo,bop,kitti")


def test_there_is_a_recipe_for_each_kind_of_file() -> None:
    assert [title for title, _ in RECIPES] == [
        "images/",
        "labels/coco/instances.json",
        "labels/yolo/",
        "labels/bop/",
        "labels/kitti/",
        "labels/poses.jsonl",
        "shards/",
        "manifest.jsonl",
        "run.json",
    ]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(("title", "recipe"), RECIPES, ids=[title for title, _ in RECIPES])
def test_recipe(title: str, recipe: str, out: Path, make_out: MakeOut) -> None:
    if title == "shards/":
        out = make_out("--sink", "webdataset")
        recipe = recipe.replace("{000000..000009}", "000000")
    names: dict[str, Any] = {}
    exec(recipe.replace("OUT", str(out)).replace("NAME", "a"), names)
    if title == "images/":
        assert names["object_only"].any()
    elif title == "shards/":
        assert names["image"].shape[:2] == names["mask"].shape[:2]
        assert names["labels"]["coco"]["size"] == list(names["mask"].shape[:2])
    elif title in ("labels/coco/instances.json", "labels/yolo/"):
        assert names["mask"].any()
    elif title == "labels/bop/":
        assert names["mask"].any()
        assert names["pixel"][:2] == pytest.approx(31.75)
    elif title == "labels/kitti/":
        assert names["pixel"][0] == pytest.approx(31.75, abs=0.01)
        assert names["bottom"] < names["pixel"][1] + 8
    elif title == "labels/poses.jsonl":
        # The optical axis: pixel 64 of 128 with integer centres is 64.5, which is 32.25 of 64.
        assert names["pixels"] == pytest.approx(32.25)
    elif title == "manifest.jsonl":
        assert (len(names["rows"]), names["failed"]) == (3, {})
    else:
        assert names["run"]["done"] == 3
