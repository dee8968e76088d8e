from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from marked_cars import SIZE
from posegen.checkpoint import CheckpointInfo, Lineage, load_generator, save_checkpoint
from posegen.config import Arch, ModelConfig, TrainConfig, Variant
from posegen.evaluation.model import BundleModel, Model, open_model
from posegen.evaluation.samples import Samples
from posegen.models.build import build_discriminator, build_generator
from posegen_export.reference import reference_images
from posegen_runtime.errors import PoseGenError
from tiny_bundle import expected_image, write_tiny_bundle
from tiny_graphs import SIZE as BUNDLE_SIZE

FULL = "pose-appearance-background"


def conditions(samples: Samples) -> dict[str, np.ndarray]:
    batch = samples.read(np.arange(3))
    names = ("mask", "appearance", "background", "viewpoint")
    return {name: getattr(batch, name) for name in names}


def written(path: Path, config: ModelConfig) -> Path:
    """A checkpoint with fresh weights, on which a viewpoint has an effect."""
    torch.manual_seed(0)
    generator = build_generator(config)
    if config.viewpoint:
        for parameter in generator.viewpoint_film.parameters():
            torch.nn.init.normal_(parameter)
    info = CheckpointInfo(
        train_config=TrainConfig(model=config),
        step=0,
        lineage=Lineage(dataset={}, seed=0, version="0"),
    )
    save_checkpoint(path, generator, build_discriminator(config), info)
    return path


def config(viewpoint: bool = False) -> ModelConfig:
    return ModelConfig(
        arch=Arch.SPATIAL,
        preset="tiny",
        variant=Variant(FULL),
        image_size=SIZE,
        viewpoint=viewpoint,
    )


@pytest.mark.parametrize("arch", ["spatial", "bottleneck"])
def test_a_checkpoint_makes_the_images_that_count_as_right(
    arch: str, moving_checkpoint: Callable[[str, str], Path], samples: Samples
) -> None:
    file = moving_checkpoint(arch, FULL)
    given = conditions(samples)
    made = open_model(file, "cpu").images(given)
    del given["viewpoint"]
    reference = reference_images(load_generator(file)[0], given)
    assert made.std() > 30
    difference = np.abs(made.astype(int) - reference)
    assert difference.max() <= 1
    assert difference.mean() < 0.01


def test_a_run_folder_stands_for_its_best_checkpoint(tmp_path: Path) -> None:
    written(tmp_path / "best.safetensors", config())
    model = open_model(tmp_path, "cpu")
    assert model.label == f"checkpoint, spatial/tiny/{FULL} at 64 px"
    assert model.inputs == ("mask", "appearance", "background")


def test_a_file_of_a_bundle_names_the_folder(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path / "bundle", FULL)
    with pytest.raises(PoseGenError, match=f"name its folder, {tmp_path / 'bundle'}$"):
        open_model(tmp_path / "bundle" / "bundle.json", "cpu")


def test_the_viewpoint_reaches_a_model_that_takes_it(tmp_path: Path, samples: Samples) -> None:
    model = open_model(written(tmp_path / "a.safetensors", config(viewpoint=True)), "cpu")
    assert model.inputs[-1] == "viewpoint"
    given = conditions(samples)
    withheld = {**given, "viewpoint": np.zeros_like(given["viewpoint"])}
    assert (model.images(given) != model.images(withheld)).any()


def test_an_output_that_is_not_finite_is_refused(tmp_path: Path, samples: Samples) -> None:
    model = open_model(written(tmp_path / "a.safetensors", config()), "cpu")
    model._generator.to_image.bias.data.fill_(float("nan"))  # type: ignore[attr-defined]
    with pytest.raises(PoseGenError, match="NaN or infinity"):
        model.images(conditions(samples))


@pytest.mark.parametrize("variant", ["pose", "pose-appearance", FULL])
def test_a_bundle_gets_what_it_takes(variant: str, tmp_path: Path, samples: Samples) -> None:
    model: Model = open_model(write_tiny_bundle(tmp_path / "bundle", variant), "cpu")
    assert isinstance(model, BundleModel)
    assert model.image_size == BUNDLE_SIZE
    batch = {
        name: array[:, :BUNDLE_SIZE, :BUNDLE_SIZE]
        for name, array in conditions(samples).items()
        if name != "viewpoint"
    }
    made = model.images(batch)
    if variant == FULL:
        for row in range(3):
            expected = expected_image(
                batch["mask"][row], batch["appearance"][row], batch["background"][row]
            )
            assert np.abs(made[row].astype(int) - expected).max() <= 1
    assert model.inputs == ("mask", "appearance", "background")[: len(model.inputs)]
    assert len(model.inputs) == variant.count("-") + 1


def test_the_precision_is_the_bundle_s(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "bundle")
    assert open_model(bundle, "cpu", precision="fp32").label.endswith("64 px, fp32 on cpu")
    with pytest.raises(PoseGenError, match="fp16"):
        open_model(bundle, "cpu", precision="fp16")
    with pytest.raises(PoseGenError, match="a checkpoint computes in float32; name a bundle"):
        open_model(written(tmp_path / "a.safetensors", config()), "cpu", precision="int8")


def test_the_label_says_what_auto_chose(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "bundle")
    assert open_model(bundle, "cpu", precision="auto").label.endswith("64 px, fp32 on cpu")


def test_the_cuda_that_is_not_there(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(PoseGenError, match="no CUDA device; use --device cpu"):
        open_model(written(tmp_path / "a.safetensors", config()), "cuda")
