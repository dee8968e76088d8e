import shutil

import pytest

import plant
from posegen_export.export import load_source, make_inputs
from posegen_export.parity import measure
from posegen_export.variants import missed_by
from posegen_export.ways import load_graphs
from posegen_runtime.bundle import Bundle

FULL = "pose-appearance-background"
MODELS = [
    ("spatial", f"{FULL}+viewpoint"),
    pytest.param("spatial", "pose+viewpoint", marks=pytest.mark.slow),
    ("bottleneck", "pose"),
    pytest.param("spatial", FULL, marks=pytest.mark.slow),
    pytest.param("spatial", "pose", marks=pytest.mark.slow),
    pytest.param("spatial", "pose-appearance", marks=pytest.mark.slow),
    pytest.param("bottleneck", "pose-appearance", marks=pytest.mark.slow),
    pytest.param("bottleneck", FULL, marks=pytest.mark.slow),
]


@pytest.fixture
def measured(exported_bundle, moving_checkpoint, tmp_path):
    """Copies a bundle, spoils one of its graphs, and measures it on inputs of another seed."""

    def measure_with(arch, variant, graph=None, spoil=None):
        root = shutil.copytree(exported_bundle(arch, variant), tmp_path / "spoilt")
        if spoil is not None:
            spoil(root / "fp32" / f"{graph}.onnx")
        source = load_source(moving_checkpoint(arch, variant))
        manifest = Bundle.load(exported_bundle(arch, variant)).manifest
        feeds = make_inputs(source.config, None, 10, seed=1).feeds(source.config.inputs)
        graphs = load_graphs(root, manifest.precisions[0].graphs)
        return measure(source.generator, graphs, feeds, max_batch=4)

    return measure_with


@pytest.mark.parametrize(("arch", "variant"), MODELS)
def test_every_exported_way_gives_pytorchs_images(exported_bundle, measured, arch, variant):
    manifest = Bundle.load(exported_bundle(arch, variant)).manifest
    weights = manifest.precisions[0].parity["weights"]
    assert weights["output_std"] >= 30
    assert weights["mask_difference"] >= 10
    figures = measured(arch, variant)
    assert list(figures) == (
        ["generator"]
        if variant.startswith("pose+") or variant == "pose"
        else ["generator", "cached", "cached shared"]
    )
    assert missed_by(figures) == []
    assert all(f.images == 10 for f in figures.values())


@pytest.mark.parametrize("graph", ["generator", "generator_cached"])
@pytest.mark.parametrize(
    "spoil",
    [
        plant.constant_mask,
        plant.permuted_channels,
        plant.changed_weight,
        plant.ignored_viewpoint,
        plant.opposite_viewpoint,
    ],
    ids=lambda spoil: spoil.__name__,
)
def test_a_broken_graph_misses_the_gate(measured, graph, spoil):
    figures = measured("spatial", f"{FULL}+viewpoint", graph, spoil)
    missed = missed_by(figures)
    broken = {"generator"} if graph == "generator" else {"cached", "cached shared"}
    assert {line.split(":")[0] for line in missed} == broken
    assert any("max_difference" in line for line in missed)
    assert any("mean_difference" in line for line in missed)


def test_a_graph_for_one_image_is_named_at_three(measured):
    missed = missed_by(measured("bottleneck", "pose", "generator", plant.fixed_batch))
    assert len(missed) == 1
    assert missed[0].startswith("generator: does not run at N = 3: ")


def test_a_changed_condition_is_seen_by_the_cached_ways_alone(measured):
    missed = missed_by(measured("spatial", FULL, "conditions", plant.changed_weight))
    assert {line.split(":")[0] for line in missed} == {"cached", "cached shared"}
