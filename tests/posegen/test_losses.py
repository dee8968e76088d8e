"""Every loss against numbers worked out by hand."""

import pytest
import torch

from posegen.losses import (
    background_reconstruction,
    feature_matching,
    hinge_discriminator,
    hinge_generator,
    image_reconstruction,
    object_reconstruction,
)


def flat(*values: float) -> torch.Tensor:
    """An image [1, 3, 2, 2] whose channels all hold the same four values, row by row."""
    return torch.tensor(values).reshape(1, 1, 2, 2).repeat(1, 3, 1, 1)


MASK = torch.tensor([1.0, 0.0, 0.0, 0.0]).reshape(1, 1, 2, 2)


def test_hinge_discriminator_is_eq_4() -> None:
    real = torch.tensor([2.0, 0.5, -1.0])  # max(0, 1 - x): 0, 0.5, 2; mean 2.5 / 3
    fake = torch.tensor([-2.0, 0.0, 1.0])  # max(0, 1 + x): 0, 1, 2; mean 1
    assert hinge_discriminator([real], [fake]).item() == pytest.approx(2.5 / 3 + 1)


def test_scales_weigh_the_same_whatever_their_number_of_logits() -> None:
    few, many = torch.tensor([[3.0]]), torch.zeros(1, 16)
    assert hinge_generator([few, many]).item() == -1.5
    # Real: 0 and 1; generated: 4 and 1.
    assert hinge_discriminator([few, many], [few, many]).item() == pytest.approx((4 + 2) / 2)


def test_feature_matching_compares_where_the_silhouette_is() -> None:
    real = [torch.zeros(1, 2, 2, 2), torch.zeros(1, 4, 1, 1)]
    fine = torch.tensor([[3.0, 9.0], [9.0, 9.0]]).expand(1, 2, 2, 2).clone().requires_grad_()
    coarse = torch.tensor([1.0, -1.0, 1.0, 1.0]).reshape(1, 4, 1, 1)
    loss = feature_matching([fine, coarse], real, MASK)
    # The fine layer counts its first position, 3; the coarse one has one position, 1.
    assert loss.item() == pytest.approx((3 + 1) / 2)
    loss.backward()
    assert fine.grad is not None
    assert fine.grad[0, 0].tolist() == [[0.25, 0.0], [0.0, 0.0]]


def test_hinge_discriminator_leaves_what_is_beyond_the_margin() -> None:
    real = torch.tensor([2.0, 0.5], requires_grad=True)
    fake = torch.tensor([-3.0, 0.0], requires_grad=True)
    hinge_discriminator([real], [fake]).backward()
    assert real.grad is not None
    assert fake.grad is not None
    assert real.grad.tolist() == [0.0, -0.5]
    assert fake.grad.tolist() == [0.0, 0.5]


def test_hinge_generator_is_eq_3() -> None:
    fake = torch.tensor([[1.0], [-4.0]], requires_grad=True)
    loss = hinge_generator([fake])
    loss.backward()
    assert loss.item() == 1.5  # -(1 - 4) / 2
    assert fake.grad is not None
    assert fake.grad.flatten().tolist() == [-0.5, -0.5]


def test_background_reconstruction_is_eq_6_per_value_outside() -> None:
    fake = flat(0.9, 0.5, 0.0, -1.0).requires_grad_()
    background = flat(-0.9, 0.0, 0.0, 1.0)
    loss = background_reconstruction(fake, background, MASK)
    # Outside: differences 0.5, 0, -2; squares 0.25 + 0 + 4 in each of 3 channels, 9 values.
    assert loss.item() == pytest.approx(3 * 4.25 / 9)
    loss.backward()
    assert fake.grad is not None
    assert fake.grad[0, 0].flatten().tolist() == pytest.approx([0, 1 / 9, 0, -4 / 9])


def test_object_reconstruction_is_eq_7_per_value_inside() -> None:
    fake = flat(0.9, 0.5, 0.0, -1.0).requires_grad_()
    target = flat(-0.1, 0.0, 1.0, 1.0)
    loss = object_reconstruction(fake, target, MASK)
    # Inside: the difference 1.0, squared, in each of 3 channels, 3 values.
    assert loss.item() == pytest.approx(1.0)
    loss.backward()
    assert fake.grad is not None
    assert fake.grad[0, 1].flatten().tolist() == pytest.approx([2 / 3, 0, 0, 0])


def test_object_reconstruction_does_not_depend_on_the_share_of_the_image() -> None:
    """The same error on an object of one pixel and of three weighs the same."""
    fake, target = flat(0.5, 0.5, 0.5, 0.5), flat(0, 0, 0, 0)
    wide = 1 - MASK
    assert object_reconstruction(fake, target, MASK).item() == pytest.approx(0.25)
    assert object_reconstruction(fake, target, wide).item() == pytest.approx(0.25)


def test_masked_losses_average_over_samples() -> None:
    fake = torch.cat([flat(1, 0, 0, 0), flat(3, 0, 0, 0)])
    target = torch.zeros_like(fake)
    mask = MASK.repeat(2, 1, 1, 1)
    assert object_reconstruction(fake, target, mask).item() == pytest.approx((1 + 9) / 2)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_sample_without_object_or_background_counts_nothing(value: float) -> None:
    mask = torch.full((1, 1, 2, 2), value)
    loss = object_reconstruction if value == 0 else background_reconstruction
    assert loss(flat(1, 1, 1, 1), flat(0, 0, 0, 0), mask).item() == 0


def test_image_reconstruction_is_the_mean_square() -> None:
    fake = flat(1.0, 0.0, -1.0, 0.5).requires_grad_()
    loss = image_reconstruction(fake, flat(0, 0, 1, 0))
    # Squares 1, 0, 4, 0.25: their mean, the same in each channel.
    assert loss.item() == pytest.approx(5.25 / 4)
    loss.backward()
    assert fake.grad is not None
    assert fake.grad[0, 0].flatten().tolist() == pytest.approx([2 / 12, 0, -4 / 12, 1 / 12])
