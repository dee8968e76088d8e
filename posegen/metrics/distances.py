"""Distances between sets of images, and between two images, in the space of their features."""

import numpy as np
from numpy.typing import NDArray

from posegen.metrics.features import Floats
from posegen_runtime.errors import PoseGenError

Doubles = NDArray[np.float64]

KID_SUBSETS, KID_SUBSET_SIZE = 100, 1000
SPLITS = 10
SEED = 2020
"""torch-fidelity's, of the order in which IS splits and of the subsets of KID."""
_BLOCK = 1024


def frechet(a: Floats, b: Floats) -> float:
    """FID of features [N, D] and [M, D], at least two images each.

    That is |μa − μb|² + tr(Σa + Σb − 2 (ΣaΣb)^½) with the features' means and covariances.
    The trace of the root is the sum of the singular values of A Bᵀ, where A and B are the centred
    features over √(n − 1). That needs no root of a matrix that few images leave singular.
    """
    centred_a, centred_b = _centred(a), _centred(b)
    shift = a.mean(axis=0, dtype=np.float64) - b.mean(axis=0, dtype=np.float64)
    spread = (centred_a**2).sum() + (centred_b**2).sum()
    product = _short(centred_a) @ _short(centred_b).T
    return float(shift @ shift + spread - 2 * np.linalg.svd(product, compute_uv=False).sum())


def _centred(features: Floats) -> Doubles:
    doubles = features.astype(np.float64)
    return (doubles - doubles.mean(axis=0)) / np.sqrt(len(features) - 1)


def _short(centred: Doubles) -> Doubles:
    """With the same scatter [D, D], and no more rows than columns."""
    rows, columns = centred.shape
    return np.asarray(np.linalg.qr(centred, mode="r")) if rows > columns else centred


def kernel(a: Floats, b: Floats, draws: tuple[Doubles, Doubles] | None = None) -> Doubles:
    """KID's unbiased estimate over all of a [N, D] and b [M, D], at least two each; [1].

    `draws`: how often each image counts, [K, N] and [K, M], for K bootstrap estimates, [K]. An
    image that is drawn twice makes no pair with itself; NaN where a draw holds one image alone.
    Memory does not grow with N × M.
    """
    x, y = draws or (np.ones((1, len(a))), np.ones((1, len(b))))
    return _within(a, x) + _within(b, y) - 2 * _sum(a, b, x, y) / (x.sum(1) * y.sum(1))


def _within(features: Floats, weights: Doubles) -> Doubles:
    squares = (features.astype(np.float64) ** 2).sum(axis=1)
    itself = (weights**2) @ (squares / features.shape[1] + 1) ** 3
    pairs = weights.sum(1) ** 2 - (weights**2).sum(1)
    total = _sum(features, features, weights, weights) - itself
    return np.divide(total, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def _sum(a: Floats, b: Floats, x: Doubles, y: Doubles) -> Doubles:
    """Σ x_i y_j k(a_i, b_j) for each row of x and y; k is KID's cubic kernel."""
    total = np.zeros(len(x))
    for i in range(0, len(a), _BLOCK):
        left = a[i : i + _BLOCK].astype(np.float64) / a.shape[1]
        for j in range(0, len(b), _BLOCK):
            block = (left @ b[j : j + _BLOCK].astype(np.float64).T + 1) ** 3
            total += ((x[:, i : i + _BLOCK] @ block) * y[:, j : j + _BLOCK]).sum(axis=1)
    return total


def kernel_subsets(a: Floats, b: Floats, size: int = KID_SUBSET_SIZE) -> float:
    """KID as torch-fidelity prints it: the mean over `KID_SUBSETS` subsets of that many images.

    Raises `PoseGenError` when there are fewer images than that.
    """
    import torch
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric

    if min(len(a), len(b)) < size:
        raise PoseGenError(
            f"{min(len(a), len(b))} images are fewer than a KID subset of {size}; take "
            f"--kid-subset-size {min(len(a), len(b))} or less, or KID over the whole set"
        )
    found = kid_features_to_metric(
        torch.from_numpy(a),
        torch.from_numpy(b),
        kid_subsets=KID_SUBSETS,
        kid_subset_size=size,
        rng_seed=SEED,
        verbose=False,
    )
    return float(found[KEY_METRIC_KID_MEAN])


def inception_score(logits: Floats) -> float:
    """IS as torch-fidelity takes it: the mean over ten splits of the images in a shuffled order."""
    import torch
    from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric

    found = isc_features_to_metric(torch.from_numpy(logits), SPLITS, True, SEED)
    return float(found[KEY_METRIC_ISC_MEAN])


def cosine(a: Floats, b: Floats) -> Doubles:
    """I_sim of pairs of features [N, D], one value each [N]; NaN where one of them is all zeros."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    products = (x * y).sum(axis=1)
    return np.divide(products, lengths, out=np.full(len(x), np.nan), where=lengths > 0)
