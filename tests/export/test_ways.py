"""Which inputs go through a graph together, and what is said of one that cannot take them."""

import numpy as np
import pytest

from posegen_export.inputs import from_seed
from posegen_export.ways import batch_rows, figures_by_way, small_batches


@pytest.mark.parametrize("max_batch", [1, 2, 5, 10, 13, 32])
@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_every_input_has_its_turn_in_full_batches(count, max_batch):
    rows = batch_rows(count, max_batch)
    assert {len(r) for r in rows} == {max_batch}
    assert [row for r in rows for row in r][:count] == list(range(count))
    assert len(rows) == -(-count // max_batch)
    small = small_batches(count, max_batch)
    assert [len(places) for _, places in small] == [1, 1, 3]
    assert [rows[batch][places[0]] for batch, places in small[:2]] == [0, count - 1]
    assert all(rows[batch][place] < count for batch, places in small for place in places)


def test_small_batches_hold_real_and_random_masks():
    inputs = from_seed((32, 32), 10, seed=0)
    rows = batch_rows(10, 13)
    first, last, three = ({rows[b][p] for p in places} for b, places in small_batches(10, 13))
    random = set(range(inputs.real, 10))
    assert not first & random
    assert last <= random
    assert three & random
    assert three - random


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
    figures = figures_by_way({"generator": Drawn(wrong)}, inputs, right(inputs), right, 3, "fp32")
    assert list(figures) == ["generator"]
    assert figures["generator"].images == 8
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
    figures = figures_by_way(graphs, inputs, right(inputs), note, 2, "fp32")
    assert list(figures) == ["generator", "cached", "cached shared"]
    assert all(f.max_difference == 0 for f in figures.values())
    (feeds,) = asked
    assert list(feeds["mask"][:, 0, 0]) == [0, 1, 2, 3]
    assert list(feeds["appearance"][:, 0, 0, 0]) == [255, 255, 253, 253]


def test_what_fills_the_last_batch_up_is_not_judged():
    """Input 0 fills the second batch and would count twice."""
    inputs = drawn(5)
    once = np.abs(drawn(5)["mask"].astype(int) == 0).mean() * 5
    figures = figures_by_way({"generator": Drawn(0)}, inputs, right(inputs), right, 4, "fp32")[
        "generator"
    ]
    assert (figures.images, figures.whole.mean_difference) == (5, once)


@pytest.mark.parametrize("small", [1, 3])
@pytest.mark.parametrize("levels", [1, 7])
def test_another_image_in_a_small_batch_is_seen(small, levels):
    class Batched(Drawn):
        def run(self, feeds):
            image = super().run(feeds)["image"]
            return {"image": image + np.uint8(levels * (len(image) == small))}

    inputs = drawn(8)
    figures = figures_by_way({"generator": Batched()}, inputs, right(inputs), right, 4, "fp32")[
        "generator"
    ]
    reason = f"makes another image at N = {small} than in a full batch: differs by 7 levels"
    assert figures.invalid == ("" if levels == 1 else reason)


def test_conditions_that_are_not_finite_are_named():
    inputs = drawn(4)
    graphs = {
        "generator": Drawn(),
        "conditions": Drawn(conditions=lambda encoded: encoded * np.float32(np.nan)),
        "generator_cached": Drawn(),
    }
    figures = figures_by_way(graphs, inputs, right(inputs), right, 2, "fp32")
    assert figures["generator"].invalid == ""
    assert {figures[way].invalid for way in ("cached", "cached shared")} == {
        "does not run at N = 1: the condition encoded holds NaN or infinity"
    }


def test_int8_values_between_two_steps_may_fall_to_either():
    class Flickering(Drawn):
        def run(self, feeds):
            image = super().run(feeds)["image"]
            image[:, 0, 0, 0] += np.uint8(7 * (len(image) == 1))
            return {"image": image}

    inputs = drawn(8)
    for precision, reason in (("int8", ""), ("fp16", "differs by 7 levels")):
        graphs = {"generator": Flickering()}
        figures = figures_by_way(graphs, inputs, right(inputs), right, 4, precision)["generator"]
        assert figures.invalid.endswith(reason)
        assert bool(figures.invalid) == bool(reason)
