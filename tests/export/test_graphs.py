import onnx
import pytest

from posegen_export.graphcheck import GraphError, check_graph
from posegen_runtime.bundle import Bundle

FULL = "pose-appearance-background"
NAMES = ["generator", "conditions", "generator_cached"]


@pytest.fixture(params=NAMES)
def model(request, exported_bundle):
    return onnx.load(exported_bundle("spatial", FULL) / "fp32" / f"{request.param}.onnx")


def dims(value):
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


def test_graphs_keep_the_rules_and_carry_no_trace_of_the_machine(model):
    check_graph(model, 20, 10)
    assert b"site-packages" not in model.SerializeToString()
    assert b"/home" not in model.SerializeToString()
    assert b".py" not in model.SerializeToString()


def test_names_and_shapes_are_those_of_the_manifest(exported_bundle):
    bundle = Bundle.load(exported_bundle("spatial", FULL))
    for graph in bundle.precision("fp32").graphs.values():
        model = onnx.load(bundle.path(graph.path))
        for specs, values in (
            (graph.inputs, model.graph.input),
            (graph.outputs, model.graph.output),
        ):
            assert [(s.name, s.shape) for s in specs] == [(v.name, dims(v)) for v in values]


def test_cached_conditions_are_shared_or_one_each(exported_bundle):
    graphs = Bundle.load(exported_bundle("spatial", FULL)).precision("fp32").graphs
    assert {spec.shape[0] for spec in graphs["generator_cached"].inputs[1:]} == {"C"}
    assert {spec.shape[0] for spec in graphs["conditions"].outputs} == {"N"}
    assert graphs["generator_cached"].inputs[0].shape == ["N", 64, 64]


def test_metadata_tells_a_c_program_what_it_needs(exported_bundle):
    model = onnx.load(exported_bundle("spatial", FULL) / "fp32" / "generator.onnx")
    held = {entry.key: entry.value for entry in model.metadata_props}
    assert held["posegen.variant"] == FULL
    assert held["posegen.inputs"] == "mask,appearance,background"
    assert (held["posegen.image_height"], held["posegen.image_width"]) == ("64", "64")
    assert "above 127" in held["posegen.input.mask"]
    assert held["posegen.schema"] == "1"


def test_the_viewpoint_comes_last_and_with_each_mask(exported_bundle):
    bundle = Bundle.load(exported_bundle("spatial", f"{FULL}+viewpoint"))
    assert bundle.takes_viewpoint
    assert bundle.conditions == ["appearance", "background"]
    spec = bundle.manifest.inputs[-1]
    assert (spec.name, spec.dtype, spec.shape, spec.required) == (
        "viewpoint",
        "float32",
        ["N", 3],
        False,
    )
    assert "zeros: unknown" in spec.meaning
    graphs = bundle.precision("fp32").graphs
    assert [s.name for s in graphs["conditions"].inputs] == bundle.conditions
    for name in ("generator", "generator_cached"):
        model = onnx.load(bundle.path(graphs[name].path))
        assert graphs[name].inputs[-1] == spec
        assert [(s.name, s.shape) for s in graphs[name].inputs] == [
            (v.name, dims(v)) for v in model.graph.input
        ]
        held = {entry.key: entry.value for entry in model.metadata_props}
        assert held["posegen.inputs"].endswith(",viewpoint")
        assert held["posegen.input.viewpoint"] == spec.meaning
    known = [golden.viewpoint for golden in bundle.manifest.golden]
    assert known.count((0.0, 0.0, 0.0)) == 1
    assert len(set(known)) == len(known)


def test_a_transpose_on_uint8_is_refused(model):
    first = next(node for node in model.graph.node if node.op_type == "Cast")
    position = list(model.graph.node).index(first)
    transpose = onnx.helper.make_node("Identity", [first.input[0]], ["turned"])
    first.input[0] = "turned"
    model.graph.node.insert(position, transpose)
    with pytest.raises(GraphError, match="reads uint8"):
        check_graph(model, 20, 10)


def test_random_and_unfolded_nodes_are_refused(model):
    weight = model.graph.initializer[0].name
    model.graph.node.insert(0, onnx.helper.make_node("Abs", [weight], ["positive"]))
    with pytest.raises(GraphError, match="not folded"):
        check_graph(model, 20, 10)
    model.graph.node[0].CopyFrom(onnx.helper.make_node("RandomNormal", [], ["noise"], shape=[1]))
    with pytest.raises(GraphError, match="random"):
        check_graph(model, 20, 10)


def test_another_opset_or_ir_is_refused(model):
    with pytest.raises(GraphError, match="opset"):
        check_graph(model, 19, 10)
    model.ir_version = 11
    with pytest.raises(GraphError, match="IR 11"):
        check_graph(model, 20, 10)
