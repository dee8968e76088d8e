import posegen.checkpoint
from posegen.models.build import build_generator
from posegen_export.export import load_source
from posegen_runtime.bundle import sha256_of


def test_the_lineage_names_what_was_loaded_though_training_went_on(
    moving_checkpoint, tmp_path, monkeypatch
):
    run = tmp_path / "best.safetensors"
    run.write_bytes(moving_checkpoint("spatial", "pose").read_bytes())
    loaded = sha256_of(run)

    def overtaken(config):
        run.write_bytes(moving_checkpoint("bottleneck", "pose").read_bytes())
        return build_generator(config)

    monkeypatch.setattr(posegen.checkpoint, "build_generator", overtaken)
    source = load_source(tmp_path)
    assert source.config.arch == "spatial"
    assert source.sha256 == loaded != sha256_of(run)
