"""Between two GStreamer pipelines: masks come in as video, generated images go out as video.

    stream.py SOURCE SINK [--bundle BUNDLE]

SOURCE is a pipeline up to video, SINK one from video on; both as for `gst-launch-1.0`:

    stream.py 'videotestsrc pattern=ball num-buffers=30' 'videoconvert ! autovideosink'

What is brighter than 127 is the object. Frames keep their time stamps. A generator that is slower
than the source holds it up; with a live source end SOURCE in
`! queue leaky=downstream max-size-buffers=1` to drop frames instead.
"""

import argparse
import sys
from typing import Any

import gi
import numpy as np

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp  # noqa: E402

from posegen_runtime import PoseGenerator, PoseGenError  # noqa: E402

IN_FLIGHT = 2
"""Frames that may wait on either side."""

assert GstApp is not None  # gives appsink and appsrc their methods


def pipelines(source: str, sink: str, size: tuple[int, int]) -> tuple[Any, Any, Any, Any]:
    """The two pipelines, with the elements where frames leave the one and enter the other."""
    height, width = size
    # Nearest, so that a mask stays one; its borders are kept, its shape is not.
    taking = Gst.parse_launch(
        f"{source} ! videoconvert ! videoscale method=nearest-neighbour ! "
        f"video/x-raw,format=GRAY8,width={width},height={height},pixel-aspect-ratio=1/1 ! "
        f"appsink name=masks sync=false max-buffers={IN_FLIGHT}"
    )
    giving = Gst.parse_launch(f"appsrc name=images format=time block=true is-live=false ! {sink}")
    images = giving.get_by_name("images")
    images.set_property("max-bytes", IN_FLIGHT * width * height * 3)
    return taking, taking.get_by_name("masks"), giving, images


def mask_of(sample: Any) -> np.ndarray:
    """uint8 [H, W] in {0, 255}. GStreamer pads rows to four bytes."""
    caps = sample.get_caps().get_structure(0)
    height, width = caps.get_value("height"), caps.get_value("width")
    buffer = sample.get_buffer()
    ok, mapped = buffer.map(Gst.MapFlags.READ)
    if not ok:
        raise PoseGenError("a frame of the source cannot be read")
    try:
        rows = np.frombuffer(mapped.data, np.uint8).reshape(height, -1)[:, :width]
        return np.where(rows > 127, np.uint8(255), np.uint8(0))
    finally:
        buffer.unmap(mapped)


def buffer_of(image: np.ndarray, taken: Any) -> Any:
    """uint8 RGB [H, W, 3] as a frame of the same time as `taken`; rows padded to four bytes."""
    height, width, _ = image.shape
    padded = np.zeros((height, -(-width * 3 // 4) * 4), np.uint8)
    padded[:, : width * 3] = image.reshape(height, -1)
    buffer = Gst.Buffer.new_wrapped(padded.tobytes())
    buffer.pts, buffer.dts, buffer.duration = taken.pts, taken.dts, taken.duration
    return buffer


def error_of(pipeline: Any) -> str:
    """What went wrong in it; empty where nothing did."""
    message = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
    return f"{message.src.get_name()}: {message.parse_error()[0].message}" if message else ""


def stream(generator: PoseGenerator, source: str, sink: str) -> int:
    """Run until the source ends; returns how many frames went through."""
    taking, masks, giving, images = pipelines(source, sink, generator.image_size)
    done = 0
    try:
        giving.set_state(Gst.State.PLAYING)
        taking.set_state(Gst.State.PLAYING)
        while (sample := masks.try_pull_sample(Gst.SECOND)) or not masks.is_eos():
            why = error_of(taking) or error_of(giving)
            if why:
                raise PoseGenError(why)
            if not sample:
                continue  # a live source that rests
            if not done:
                rate = sample.get_caps().get_structure(0).get_fraction("framerate")
                height, width = generator.image_size
                images.set_caps(
                    Gst.Caps.from_string(
                        f"video/x-raw,format=RGB,width={width},height={height},"
                        f"framerate={rate[1]}/{rate[2]}"
                    )
                )
            image = generator.generate(mask_of(sample))[0]
            if images.push_buffer(buffer_of(image, sample.get_buffer())) != Gst.FlowReturn.OK:
                raise PoseGenError(error_of(giving) or "the sink takes no more frames")
            done += 1
        why = error_of(taking)
        if why:
            raise PoseGenError(why)
        images.end_of_stream()
        # The sink is done when it has written the last frame.
        ended = Gst.MessageType.EOS | Gst.MessageType.ERROR
        message = giving.get_bus().timed_pop_filtered(60 * Gst.SECOND, ended)
        if message is None or message.type == Gst.MessageType.ERROR:
            raise PoseGenError(f"the sink did not end: {message and message.parse_error()[0]}")
    finally:
        taking.set_state(Gst.State.NULL)
        giving.set_state(Gst.State.NULL)
    return done


def main() -> None:
    options = argparse.ArgumentParser(description="Masks in as video, images out as video.")
    options.add_argument("source")
    options.add_argument("sink")
    options.add_argument("--bundle", help="exported model; default: the one that comes along")
    given = options.parse_args()
    Gst.init(None)
    try:
        frames = stream(PoseGenerator.load(given.bundle), given.source, given.sink)
    except (PoseGenError, gi.repository.GLib.Error) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    print(f"{frames} frames")


if __name__ == "__main__":
    main()
