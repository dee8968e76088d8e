"""Which inputs go through a graph together, and what is said of one that cannot take them."""

import numpy as np
import pytest

from posegen_export.inputs import from_seed
from posegen_export.ways import batch_rows, figures_by_way


@pytest.mark.parametrize("max_batch", [1, 2, 5, 10, 13, 32])
@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_every_input_has_its_turn_in_full_batches(count, max_batch):
    rows = batch_rows(count, max_batch)
    assert [len(r) for r in rows[:3]] == [1, 1, 3]
    assert {len(r) for r in rows[3:]} == {max_batch}
    assert {row for r in rows[3:] for row in r} == set(range(count))
    assert len(rows[3:]) == -(-count // max_batch)
    assert {row for r in rows for row in r} == set(range(count))


def test_small_batches_hold_real_and_random_masks():
    inputs = from_seed((32, 32), 10, seed=0)
    first, last, three, _ = batch_rows(10, 13)
    random = set(range(inputs.real, 10))
    assert not set(first) & random
    assert set(last) <= random
    assert set(three) & random
    assert set(three) - random


class Drawn:
    """A graph of which one input of many comes out wrong, whatever batch it is in."""

    def __init__(self, wrong=None, conditions=None):
        self.wrong = wrong
        self.conditions = conditions

    def run(self, feeds):
        if self.conditions is not None:
            return {"encoded": self.conditions(feeds["appearance"][:, :1, :1].astype(np.float32))}
        image = np.repeat(feeds["mask"][..., None], 3, axis=3)
        if self.wrong is not None:
            image[feeds["mask"][:, 0, 0] == self.wrong] += 5
        return {"image": image}


def drawn(count):
    """Masks that are told apart by their grey level, with the appearance of another."""
    masks = np.repeat(np.arange(count, dtype=np.uint8), 64).reshape(count, 8, 8)
    return {"mask": masks, "appearance": np.repeat(255 - masks[..., None], 3, axis=3)}


def right(feeds):
    return np.repeat(feeds["mask"][..., None], 3, axis=3)


@pytest.mark.parametrize("wrong", range(8))
def test_no_input_that_is_wrong_is_passed_over(wrong):
    inputs = drawn(8)
    figures = figures_by_way({"generator": Drawn(wrong)}, inputs, right(inputs), right, 3)
    assert list(figures) == ["generator"]
    assert figures["generator"].images == 1 + 1 + 3 + 3 * 3
    assert figures["generator"].max_difference == 5


def test_the_right_images_of_shared_conditions_are_asked_for():
    """Each batch with the first one's conditions, and nothing else."""
    asked = []

    def note(feeds):
        asked.append(feeds)
        return right(feeds)

    inputs = drawn(4)
    graphs = {
        "generator": Drawn(),
        "conditions": Drawn(conditions=lambda encoded: encoded),
        "generator_cached": Drawn(),
    }
    figures = figures_by_way(graphs, inputs, right(inputs), note, 2)
    assert list(figures) == ["generator", "cached", "cached shared"]
    assert all(f.max_difference == 0 for f in figures.values())
    assert [list(feeds["mask"][:, 0, 0]) for feeds in asked] == batch_rows(4, 2)
    assert [set(feeds["appearance"].ravel()) for feeds in asked] == [
        {255 - rows[0]} for rows in batch_rows(4, 2)
    ]


def test_conditions_that_are_not_finite_are_named():
    inputs = drawn(4)
    graphs = {
        "generator": Drawn(),
        "conditions": Drawn(conditions=lambda encoded: encoded * np.float32(np.nan)),
        "generator_cached": Drawn(),
    }
    figures = figures_by_way(graphs, inputs, right(inputs), right, 2)
    assert figures["generator"].invalid == ""
    assert {figures[way].invalid for way in ("cached", "cached shared")} == {
        "does not run at N = 1: the condition encoded holds NaN or infinity"
    }
