"""A short training beats every constant answer; what it cannot learn from is refused."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from arrow_dataset import SIZE, write_arrows
from posegen.cli import app
from posegen.data.dataset import open_dataset
from posegen.data.prepared import prepare
from posegen.judges.checkpoint import load_judge
from posegen.judges.config import JudgeConfig, JudgeKind, learning_rate
from posegen.judges.figures import answers
from posegen.judges.training import CACHE, draw, train_judge, views_of
from posegen_runtime.errors import PoseGenError


def config(kind: str, steps: int = 4, **changes: int) -> JudgeConfig:
    settings = {"batch_size": 8, "image_size": SIZE} | changes
    return JudgeConfig(kind=JudgeKind(kind), steps=steps, **settings)


@pytest.fixture(scope="module")
def arrows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_arrows(tmp_path_factory.mktemp("arrows"))


@pytest.fixture(scope="module")
def segmenter(arrows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("segmenter")
    train_judge(config("segmenter", 80), arrows, out)
    return out


def test_a_segmenter_finds_arrows(segmenter: Path) -> None:
    figures = load_judge(segmenter).info.figures
    assert figures["iou"] > 0.7
    assert figures["iou_p05"] <= figures["iou"]
    assert 0.4 < figures["iou_degraded"] <= 1


def test_a_heading_judge_tells_front_from_rear(
    arrows: Path, segmenter: Path, tmp_path: Path
) -> None:
    """Any constant answer has a median error of 90° and is wrong by more than that half the time;
    so is an outline of an arrow whose ends look alike."""
    figures = train_judge(config("heading", 120), arrows, tmp_path / "run", segmenter)
    assert figures["median_deg"] < 25
    assert figures["share_over_90"] < 0.2
    loaded = load_judge(tmp_path / "run")
    assert loaded.info.lineage.parent == load_judge(segmenter).sha256
    dataset = open_dataset(arrows)
    views = views_of(prepare(dataset, "val", SIZE, tmp_path / "cache"), JudgeKind.HEADING, "")
    said = answers(loaded.judge, views)
    assert np.linalg.norm(said, axis=1) == pytest.approx(1, abs=1e-5)
    errors = np.angle(np.exp(1j * (np.arctan2(said[:, 1], said[:, 0]) - views.azimuth)))
    assert np.degrees(np.median(np.abs(errors))) == pytest.approx(figures["median_deg"], abs=0.01)


def test_the_same_seed_gives_the_same_judge(arrows: Path, tmp_path: Path) -> None:
    runs = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train_judge(config("outline", 2, seed=seed), arrows, tmp_path / name)
        weights = load_judge(tmp_path / name).judge.state_dict()
        runs[name] = np.concatenate([value.numpy().ravel() for value in weights.values()])
    assert np.array_equal(runs["a"], runs["b"])
    assert not np.array_equal(runs["a"], runs["c"])


def test_the_learning_rate_rises_and_falls_to_nothing() -> None:
    settings = config("outline", 100)
    rates = [learning_rate(settings, step) for step in range(100)]
    assert 3 <= int(np.argmax(rates)) <= 6
    assert max(rates) == pytest.approx(settings.learning_rate, rel=0.02)
    assert rates[-1] < 0.01 * settings.learning_rate


def test_photos_without_poses_teach_no_heading(tmp_path: Path) -> None:
    photos = write_arrows(tmp_path / "photos", 4, 2, poses=False)
    with pytest.raises(PoseGenError, match="no samples with a pose") as error:
        train_judge(config("outline"), photos, tmp_path / "out")
    assert not (tmp_path / "out" / CACHE).exists()
    assert "\n" not in str(error.value)


def test_a_heading_judge_learns_from_rough_silhouettes(arrows: Path, tmp_path: Path) -> None:
    """In use it is given a segmenter's; the others learn from exact ones."""
    split = prepare(open_dataset(arrows), "train", SIZE, tmp_path)
    views = views_of(split, JudgeKind.HEADING, "")
    rough, exact = (draw(views, config(kind), 0).mask for kind in ("heading", "segmenter"))
    assert (rough != exact).any((1, 2)).mean() > 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kind", "heading"], "name it with --segmenter"),
        (["--kind", "outline", "--segmenter", "x"], "only --kind heading"),
        (["--kind", "outline", "--image-size", "40"], "multiples of 16"),
        (["--kind", "heading", "--segmenter", "missing"], "no judge there"),
        (["--kind", "outline", "--precision", "16-mixed"], "bf16-mixed or 32"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    arguments: list[str], message: str, arrows: Path, tmp_path: Path
) -> None:
    command = ["judges", "train", "--data", str(arrows), "--out", str(tmp_path), "--image-size"]
    result = CliRunner().invoke(app, [*command, str(SIZE), *arguments])
    assert isinstance(result.exception, PoseGenError)
    assert message in str(result.exception)


def test_a_segmenter_of_another_size_is_refused(
    arrows: Path, segmenter: Path, tmp_path: Path
) -> None:
    with pytest.raises(PoseGenError, match="name a segmenter at 64 px"):
        train_judge(config("heading", image_size=64), arrows, tmp_path, segmenter)


def test_a_finished_judge_is_not_overwritten(arrows: Path, segmenter: Path) -> None:
    before = load_judge(segmenter).sha256
    with pytest.raises(PoseGenError, match="would be overwritten"):
        train_judge(config("segmenter"), arrows, segmenter)
    assert load_judge(segmenter).sha256 == before
