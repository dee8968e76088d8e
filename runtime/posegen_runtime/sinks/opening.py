"""The one place that knows every sink."""

from collections.abc import Callable
from pathlib import Path

from posegen_runtime.choices import SinkName
from posegen_runtime.errors import PoseGenError
from posegen_runtime.frames.composer import Composer
from posegen_runtime.frames.files import FrameFiles
from posegen_runtime.inputs import Inputs
from posegen_runtime.options import RunOptions
from posegen_runtime.paths import read_bytes
from posegen_runtime.sinks.base import Sink
from posegen_runtime.sinks.files import FileSink, FileWriter
from posegen_runtime.sinks.shard_reader import ShardReader
from posegen_runtime.sinks.webdataset import SampleWriter, WebDatasetSink


def open_sink(options: RunOptions, inputs: Inputs, frames: FrameFiles | None = None) -> Sink:
    """Where the images of a run go; `frames` where crops are pasted into whole ones."""
    categories = inputs.categories
    if options.sink is SinkName.WEBDATASET:
        if frames:
            raise PoseGenError("--sink webdataset: does not take --paste; use --sink files")
        category = next(iter(categories)) if len(categories) == 1 else None
        writer = SampleWriter(out=options.out, format=options.format, category=category)
        return WebDatasetSink(options.out, writer)
    composer = Composer(frames) if frames else None
    return FileSink(FileWriter(options.out, options.format, options.labels, categories, composer))


def done_together(sink: Sink) -> int:
    """Jobs that follow each other of which all are done again where one is."""
    return sink.writer.jobs if isinstance(sink, WebDatasetSink) else 1


def reader_of(out: Path, sink: SinkName) -> Callable[[str], bytes]:
    """Gives the bytes of an image or mask of `out` by its name in the ledger; raises
    `PoseGenError` where it is not."""
    if sink is SinkName.WEBDATASET:
        return ShardReader(out)
    return lambda name: read_bytes(out / name)
