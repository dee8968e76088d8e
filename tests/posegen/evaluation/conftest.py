from pathlib import Path

import pytest

from marked_cars import SIZE, write_marked_cars
from posegen.data.dataset import open_dataset
from posegen.evaluation.samples import Samples


@pytest.fixture(scope="session")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a data set of `marked_cars`; not to be changed."""
    return write_marked_cars(tmp_path_factory.mktemp("marked"))


@pytest.fixture(scope="session")
def samples(marked: Path) -> Samples:
    return Samples(open_dataset(marked), "test", SIZE)
