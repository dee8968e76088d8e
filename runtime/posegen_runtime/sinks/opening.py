"""The one place that knows every sink."""

from collections.abc import Callable
from pathlib import Path

from posegen_runtime.choices import SinkName
from posegen_runtime.inputs import Inputs
from posegen_runtime.options import RunOptions
from posegen_runtime.paths import read_bytes
from posegen_runtime.sinks.base import Sink
from posegen_runtime.sinks.files import FileSink, FileWriter


def open_sink(options: RunOptions, inputs: Inputs) -> Sink:
    """Where the images of a run go."""
    if options.sink is SinkName.WEBDATASET:
        raise NotImplementedError
    writer = FileWriter(options.out, options.format, options.labels, inputs.categories)
    return FileSink(writer)


def reader_of(out: Path, sink: SinkName) -> Callable[[str], bytes]:
    """Gives the bytes of an image or mask of `out` by its name in the ledger; raises
    `PoseGenError` where it is not."""
    if sink is SinkName.WEBDATASET:
        raise NotImplementedError
    return lambda name: read_bytes(out / name)
