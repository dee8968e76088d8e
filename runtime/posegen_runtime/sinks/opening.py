"""The one place that knows every sink."""

from posegen_runtime.choices import SinkName
from posegen_runtime.inputs import Inputs
from posegen_runtime.options import RunOptions
from posegen_runtime.sinks.base import Sink
from posegen_runtime.sinks.files import FileSink, FileWriter


def open_sink(options: RunOptions, inputs: Inputs) -> Sink:
    """Where the images of a run go."""
    if options.sink is SinkName.WEBDATASET:
        raise NotImplementedError
    writer = FileWriter(options.out, options.format, options.labels, inputs.categories)
    return FileSink(options.out, writer)
