from pathlib import Path

import msgspec
import pytest
import safetensors.torch
import torch

from posegen.checkpoint import (
    BEST,
    LAST,
    CheckpointInfo,
    Lineage,
    are_finite,
    load_checkpoint,
    load_generator,
    save_checkpoint,
)
from posegen.config import Arch, Variant
from posegen.models import build_discriminator, build_generator
from posegen_runtime.bundle import sha256_of
from posegen_runtime.errors import PoseGenError
from tiny_training import tiny_config

LINEAGE = Lineage(
    dataset={"name": "n", "sha256": "s", "licence": "l", "images": 3},
    seed=1,
    version="0",
    mask_range={"area": (0.1, 0.4)},
)


def write(path: Path, **changes: object) -> tuple[torch.nn.Module, CheckpointInfo]:
    config = tiny_config(**changes)
    torch.manual_seed(0)
    generator = build_generator(config.model)
    info = CheckpointInfo(train_config=config, step=7, lineage=LINEAGE, metrics={"val_error": 0.5})
    save_checkpoint(path, generator, build_discriminator(config.model), info)
    return generator, info


def rewrite_metadata(path: Path, **changes: object) -> None:
    with safetensors.safe_open(path, "pt") as file:
        info = msgspec.json.decode(file.metadata()["posegen"])
    metadata = {"posegen": msgspec.json.encode({**info, **changes}).decode()}
    safetensors.torch.save_file(safetensors.torch.load_file(path), path, metadata)


@pytest.mark.parametrize(
    ("arch", "variant"),
    [
        (Arch.SPATIAL, Variant.POSE_APPEARANCE_BACKGROUND),
        (Arch.BOTTLENECK, Variant.POSE),
    ],
)
def test_the_generator_comes_back(tmp_path: Path, arch: Arch, variant: Variant) -> None:
    saved, info = write(tmp_path / "c.safetensors", arch=arch, variant=variant)
    loaded, loaded_info = load_generator(tmp_path / "c.safetensors")
    assert loaded_info == info
    assert not loaded.training
    mask, image = torch.ones(1, 1, 32, 32), torch.zeros(1, 3, 32, 32)
    with torch.no_grad():
        expected = saved.eval()(mask, image, image)
        torch.testing.assert_close(loaded(mask, image, image), expected, rtol=0, atol=0)


def test_all_tensors_and_names(tmp_path: Path) -> None:
    saved, _ = write(tmp_path / "c.safetensors")
    names = safetensors.torch.load_file(tmp_path / "c.safetensors").keys()
    assert {n for n in names if n.startswith("generator.")} == {
        f"generator.{n}" for n in saved.state_dict()
    }
    assert {n.partition(".")[0] for n in names} == {"generator", "discriminator"}


def test_a_run_means_its_best_else_its_last(tmp_path: Path) -> None:
    write(tmp_path / LAST)
    assert load_checkpoint(tmp_path).path.name == LAST
    write(tmp_path / BEST)
    assert load_checkpoint(tmp_path).path.name == BEST


def test_the_sum_is_of_the_bytes_that_were_read(tmp_path: Path) -> None:
    write(tmp_path / "c.safetensors")
    assert load_checkpoint(tmp_path / "c.safetensors").sha256 == sha256_of(
        tmp_path / "c.safetensors"
    )


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(PoseGenError, match=r"no checkpoint there; name a \.safetensors file"):
        load_checkpoint(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"not weights", b"\x08" + b"\0" * 40])
def test_damaged_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.safetensors").write_bytes(content)
    with pytest.raises(PoseGenError, match="no readable checkpoint") as error:
        load_checkpoint(tmp_path / "c.safetensors")
    assert "\n" not in str(error.value)


def test_a_truncated_file(tmp_path: Path) -> None:
    file = tmp_path / "c.safetensors"
    write(file)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(PoseGenError, match="no readable checkpoint"):
        load_checkpoint(file)


def test_foreign_weights(tmp_path: Path) -> None:
    safetensors.torch.save_file({"a": torch.zeros(1)}, tmp_path / "c.safetensors")
    with pytest.raises(PoseGenError, match="without PoseGen's metadata"):
        load_checkpoint(tmp_path / "c.safetensors")


def test_a_newer_schema(tmp_path: Path) -> None:
    write(tmp_path / "c.safetensors")
    rewrite_metadata(tmp_path / "c.safetensors", schema=2)
    with pytest.raises(PoseGenError, match="schema 2 is newer than 1"):
        load_checkpoint(tmp_path / "c.safetensors")


def test_metadata_of_another_kind(tmp_path: Path) -> None:
    write(tmp_path / "c.safetensors")
    rewrite_metadata(tmp_path / "c.safetensors", lineage=3)
    with pytest.raises(PoseGenError, match="unreadable metadata"):
        load_checkpoint(tmp_path / "c.safetensors")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preset": "huge"}, r"c\.safetensors: .*preset huge: spatial has no such preset"),
        ({"image_size": 33}, r"c\.safetensors: .*image size 33: spatial takes multiples of 32"),
        ({"image_size": -32}, r"c\.safetensors: .*image size -32"),
        ({"arch": "bottleneck", "image_size": 48}, r"c\.safetensors: .*image size 48"),
    ],
)
def test_metadata_of_no_model_names_the_file(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    write(tmp_path / "c.safetensors")
    config = msgspec.to_builtins(tiny_config())
    config["model"] |= changes
    rewrite_metadata(tmp_path / "c.safetensors", train_config=config)
    with pytest.raises(PoseGenError, match=message) as error:
        load_generator(tmp_path / "c.safetensors")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(tmp_path: Path, value: float) -> None:
    config = tiny_config()
    generator = build_generator(config.model)
    next(generator.parameters()).data.view(-1)[0] = value
    info = CheckpointInfo(train_config=config, step=7, lineage=LINEAGE)
    save_checkpoint(tmp_path / "c.safetensors", generator, build_discriminator(config.model), info)
    with pytest.raises(PoseGenError, match=r"c\.safetensors: weights hold NaN or infinity"):
        load_generator(tmp_path / "c.safetensors")


def test_weights_that_are_not_of_the_named_architecture(tmp_path: Path) -> None:
    write(tmp_path / "c.safetensors")
    other = msgspec.to_builtins(tiny_config(arch=Arch.BOTTLENECK))
    rewrite_metadata(tmp_path / "c.safetensors", train_config=other)
    with pytest.raises(PoseGenError, match="do not fit the architecture it names"):
        load_generator(tmp_path / "c.safetensors")


def test_are_finite() -> None:
    assert are_finite({"a": torch.ones(2), "b": torch.ones(1, dtype=torch.long)})
    assert not are_finite({"a": torch.tensor([1.0, float("inf")])})
