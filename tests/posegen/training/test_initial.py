from pathlib import Path
from typing import Any

import pytest
import torch

from posegen.checkpoint import load_checkpoint
from posegen.config import Arch, Variant
from posegen.training import run as run_module
from posegen.training.initial import initial_models
from posegen_runtime.bundle import sha256_of
from posegen_runtime.errors import PoseGenError
from synthetic_dataset import write_dataset
from tiny_training import tiny_config, train


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("small")
    train(write_dataset(root / "data"), root / "run", tiny_config(steps=3))
    return root / "run"


def test_the_seed_decides_fresh_weights() -> None:
    first, again, other = (
        initial_models(tiny_config(seed=seed), None)[0].state_dict() for seed in (0, 0, 1)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_spatial_weights_go_on_at_a_larger_size(run: Path) -> None:
    checkpoint = load_checkpoint(run)
    generator, discriminator = initial_models(tiny_config(image_size=64, seed=5), checkpoint)
    for module, weights in (
        (generator, checkpoint.generator),
        (discriminator, checkpoint.discriminator),
    ):
        state = module.state_dict()
        assert all(torch.equal(state[name], weights[name]) for name in state)
    mask, image = torch.ones(1, 1, 64, 64), torch.zeros(1, 3, 64, 64)
    assert generator(mask, image, image).shape == (1, 3, 64, 64)


def test_fine_tuning_records_its_parent_and_resumes(run: Path, tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", size=64)
    config = tiny_config(image_size=64, steps=4)
    train(data, tmp_path / "fine", config, init=run)
    parent = load_checkpoint(tmp_path / "fine").info.lineage.parent
    assert parent == sha256_of(run / "best.safetensors")
    assert train(data, tmp_path / "fine", config, init=run) == 0
    with pytest.raises(PoseGenError, match="--init: missing, the run was started with one"):
        train(data, tmp_path / "fine", config)
    other = tmp_path / "fine"
    with pytest.raises(PoseGenError, match="--init: another checkpoint than the run was started"):
        train(data, tmp_path / "fine", config, init=other)
    train(data, tmp_path / "fresh", config)
    with pytest.raises(PoseGenError, match="--init: the run was started without"):
        train(data, tmp_path / "fresh", config, init=run)


def test_the_parent_is_what_was_loaded_though_its_run_went_on(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_dataset(tmp_path / "data")
    init = tmp_path / "c.safetensors"
    init.write_bytes((run / "best.safetensors").read_bytes())
    loaded = sha256_of(init)

    def overtaken(*arguments: Any) -> Any:
        models = initial_models(*arguments)
        init.write_bytes((tmp_path / "longer" / "last.safetensors").read_bytes())
        return models

    train(data, tmp_path / "longer", tiny_config(steps=4))
    monkeypatch.setattr(run_module, "initial_models", overtaken)
    train(data, tmp_path / "fine", tiny_config(steps=1), init=init)
    assert sha256_of(init) != loaded
    assert load_checkpoint(tmp_path / "fine").info.lineage.parent == loaded


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arch": Arch.BOTTLENECK}, "holds --arch spatial, --arch bottleneck was asked for"),
        ({"preset": "edge"}, "holds --preset tiny, --preset edge was asked for"),
        ({"variant": Variant.POSE}, "holds --variant pose-appearance-background, --variant pose w"),
        ({"viewpoint": True}, "holds --no-viewpoint, --viewpoint was asked for"),
    ],
)
def test_another_kind_is_one_line(changes: dict[str, object], message: str, run: Path) -> None:
    with pytest.raises(PoseGenError, match=message) as error:
        initial_models(tiny_config(**changes), load_checkpoint(run))
    assert "\n" not in str(error.value)
    assert str(run) in str(error.value)


def test_bottleneck_cannot_change_its_size(tmp_path: Path) -> None:
    config = tiny_config(arch=Arch.BOTTLENECK, variant=Variant.POSE, steps=1)
    train(write_dataset(tmp_path / "data"), tmp_path / "run", config)
    larger = tiny_config(arch=Arch.BOTTLENECK, variant=Variant.POSE, image_size=64)
    with pytest.raises(PoseGenError, match="--arch bottleneck cannot go from 32 to 64 px"):
        initial_models(larger, load_checkpoint(tmp_path / "run"))
