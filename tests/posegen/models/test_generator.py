"""What holds for the generators of both architectures."""

import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import Tensor

from posegen.config import Arch, ModelConfig, Variant
from posegen.models import Generator, build_generator
from posegen_runtime.errors import PoseGenError

SIZE = 32
BOTH = pytest.mark.parametrize("arch", list(Arch))
ALL_THREE = Variant.POSE_APPEARANCE_BACKGROUND


def build(arch: Arch, variant: Variant = ALL_THREE) -> Generator:
    torch.manual_seed(0)
    config = ModelConfig(arch=arch, preset="tiny", variant=variant, image_size=SIZE)
    return build_generator(config).eval()


def draw(count: int, seed: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(seed)
    mask = (torch.rand(count, 1, SIZE, SIZE) > 0.5).float()
    images = torch.rand(2, count, 3, SIZE, SIZE) * 2 - 1
    return mask, images[0], images[1]


@BOTH
def test_encode_and_decode_is_forward(arch: Arch) -> None:
    generator = build(arch)
    mask, appearance, background = draw(2)
    conditions = generator.encode(appearance, background)
    assert torch.equal(generator.decode(mask, conditions), generator(mask, appearance, background))


@BOTH
def test_one_set_of_conditions_serves_many_masks(arch: Arch) -> None:
    generator = build(arch)
    masks, _, _ = draw(3)
    _, appearance, background = draw(1, seed=2)
    shared = generator.decode(masks, generator.encode(appearance, background))
    repeated = generator(masks, appearance.repeat(3, 1, 1, 1), background.repeat(3, 1, 1, 1))
    assert torch.allclose(shared, repeated, atol=1e-6)
    assert not torch.allclose(shared[0], shared[1], atol=1e-6)


@BOTH
def test_folded_makes_the_same_images_and_leaves_the_original(arch: Arch) -> None:
    generator = build(arch).train()
    inputs = draw(2)
    generator(*inputs)
    names = list(generator.state_dict())
    folded = generator.folded()
    assert generator.training
    assert list(generator.state_dict()) == names
    assert not folded.training
    assert torch.allclose(folded(*inputs), generator.eval()(*inputs), atol=1e-5)
    assert torch.equal(folded.folded()(*inputs), folded(*inputs))


@BOTH
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_missing_input_is_named(arch: Arch, missing: int) -> None:
    inputs: list[Tensor | None] = list(draw(1))
    inputs[missing] = None
    name = ("mask", "appearance", "background")[missing]
    with pytest.raises(PoseGenError, match=f"input {name} is missing"):
        build(arch)(*inputs)


def test_the_unconditional_variant_needs_a_latent() -> None:
    with pytest.raises(PoseGenError, match="input latent is missing"):
        build(Arch.BOTTLENECK, Variant.UNCONDITIONAL)()


@BOTH
def test_a_training_step_reaches_every_parameter(arch: Arch) -> None:
    generator = build(arch).train()
    (generator(*draw(4)) - 0.3).square().mean().backward()
    without = [n for n, p in generator.named_parameters() if p.grad is None]
    assert without == []


@BOTH
def test_the_exported_graph_computes_nothing_from_weights(
    arch: Arch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("graph") / "generator.onnx"
    program = torch.onnx.export(
        build(arch).train().folded(), draw(1), dynamo=True, opset_version=20, verbose=False
    )
    assert program is not None
    program.save(path)
    graph = onnx.load(path).graph
    constants = {i.name for i in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert convolutions
    for node in convolutions:
        assert set(node.input[1:]) <= constants, node.name
    assert not {"InstanceNormalization", "GridSample", "RandomNormal", "GroupNormalization"} & {
        node.op_type for node in graph.node
    }
    if arch is Arch.BOTTLENECK:
        # One matrix product for each linear layer: a projection an encoder, a part of z each.
        products = [n for n in graph.node if n.op_type in ("MatMul", "Gemm")]
        assert len(products) == 6
    assert all(numpy_helper.to_array(i).dtype != "float64" for i in graph.initializer)
