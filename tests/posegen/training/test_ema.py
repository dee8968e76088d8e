import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from posegen.training.ema import Ema


def fill(module: nn.Module, value: float) -> None:
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.fill_(value)


def test_values_worked_out_by_hand() -> None:
    module = nn.Linear(2, 1)
    fill(module, 1.0)
    ema = Ema(module, decay=0.5)
    fill(module, 3.0)
    ema.update(module, step=1000)  # 0.5 · 1 + 0.5 · 3
    assert ema.module.weight.flatten().tolist() == [2.0, 2.0]
    ema.update(module, step=1000)  # 0.5 · 2 + 0.5 · 3
    assert ema.module.bias.tolist() == [2.5]


def test_the_first_steps_forget_faster() -> None:
    module = nn.Linear(1, 1)
    fill(module, 0.0)
    ema = Ema(module, decay=0.999)
    fill(module, 1.0)
    ema.update(module, step=1)  # decay (1 + 1) / (10 + 1)
    torch.testing.assert_close(ema.module.bias, torch.tensor([9 / 11]))


def test_batch_norm_statistics_are_averaged_and_counters_copied() -> None:
    module = nn.BatchNorm1d(1)
    ema = Ema(module, decay=0.5)
    fill(module, 4.0)
    ema.update(module, step=1000)
    assert ema.module.running_mean.item() == 2.0
    assert ema.module.running_var.item() == 2.5
    assert ema.module.num_batches_tracked.item() == 4


def test_spectral_norm_vectors_keep_unit_length() -> None:
    torch.manual_seed(0)
    module = spectral_norm(nn.Linear(6, 4))
    ema = Ema(module, decay=0.9)
    with torch.no_grad():
        module.parametrizations.weight.original.normal_()
        for _ in range(30):
            module(torch.ones(1, 6))
            ema.update(module, step=1000)
    own = dict(module.named_buffers())
    for name, buffer in ema.module.named_buffers():
        torch.testing.assert_close(buffer.norm(), torch.tensor(1.0))
        torch.testing.assert_close(buffer, own[name], rtol=0, atol=0)


def test_the_average_is_apart_from_training() -> None:
    module = nn.Linear(1, 1).train()
    ema = Ema(module, decay=0.5)
    assert not ema.module.training
    assert not any(p.requires_grad for p in ema.module.parameters())
    assert all(p.requires_grad for p in module.parameters())
