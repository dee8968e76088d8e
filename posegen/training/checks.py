"""Configurations that would train nothing, or in which an option would silently do nothing."""

from posegen.config import SamplerName, TrainConfig, Variant
from posegen_runtime.errors import PoseGenError


def check_config(config: TrainConfig) -> None:
    """Raises `PoseGenError` naming the option that does not fit the others."""
    variant, loss = config.model.variant, config.loss
    if config.batch_size % (config.devices * config.nodes):
        raise PoseGenError(
            f"--batch-size {config.batch_size}: cannot be shared out evenly among {config.nodes} × "
            f"{config.devices} devices; give a multiple of {config.nodes * config.devices}"
        )
    without = f"variant {variant.value} takes no"
    paired = config.sampler is SamplerName.PAIRED
    if not paired and variant.uses_mask and not variant.uses_background:
        raise PoseGenError(
            f"--sampler {config.sampler.value}: without a background, variant {variant.value} has "
            "no reconstruction to tie the image to the mask (Eq. 6); use --sampler paired"
        )
    if loss.lambda_features and not variant.uses_mask:
        raise PoseGenError(
            f"--lambda-features {loss.lambda_features:g}: {without} mask to match features in; "
            "leave the option out"
        )
    if loss.lambda_features and not paired:
        raise PoseGenError(
            f"--lambda-features {loss.lambda_features:g}: --sampler {config.sampler.value} draws "
            "no photo of the generated pose to match; use --sampler paired"
        )
    if config.shadowless and not variant.uses_background:
        raise PoseGenError(f"--shadowless: {without} background; leave the option out")
    if config.shadowless and not loss.uses_discriminator:
        raise PoseGenError(
            "--shadowless: changes what the discriminator sees, and --lambda-gan 0 without "
            "--lambda-features trains none; leave the option out"
        )
    if config.rough_masks and not variant.uses_mask:
        raise PoseGenError(
            f"--rough-masks {config.rough_masks:g}: {without} mask; leave the option out"
        )
    if config.covered and not variant.uses_background:
        raise PoseGenError(
            f"--covered {config.covered:g}: {without} background; leave the option out"
        )
    if config.covered and not paired:
        raise PoseGenError(
            f"--covered {config.covered:g}: --sampler {config.sampler.value} draws masks and "
            "backgrounds apart as it is; use --sampler paired"
        )
    weights = _weights(config)
    if not any(weights.values()):
        raise PoseGenError(
            f"{', '.join(weights)}: no loss is left for variant {variant.value} with --sampler "
            f"{config.sampler.value}; give one of them a weight above 0"
        )


def _weights(config: TrainConfig) -> dict[str, float]:
    """The weights, by option, of the losses that variant and sampler allow."""
    variant, loss = config.model.variant, config.loss
    weights = {"--lambda-gan": loss.lambda_gan}
    if variant.uses_background:
        weights["--lambda-background"] = loss.lambda_background
    compared = variant.uses_mask and config.sampler is SamplerName.PAIRED
    if compared or variant is Variant.AUTOENCODER:
        weights["--lambda-object"] = loss.lambda_object
    if compared:
        weights["--lambda-features"] = loss.lambda_features
    return weights
