"""Text that Triton's own definitions read back as it was meant."""

import random

import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from posegen_export.triton.pbtxt import Name, entries, to_text


def parsed(message):
    return text_format.Parse(to_text(message), ModelConfig())


def test_every_kind_of_value_is_read_back():
    config = parsed(
        {
            "name": "cars",
            "max_batch_size": 8,
            "input": [
                {"name": "mask", "data_type": Name("TYPE_UINT8"), "dims": [-1, 64, 64]},
                {"name": "viewpoint", "data_type": Name("TYPE_FP32"), "dims": [3]},
            ],
            "output": [],
            "response_cache": {"enable": True},
            "dynamic_batching": {"preferred_batch_size": [], "preserve_ordering": False},
            "parameters": entries({"a": {"string_value": "1"}, "b": {"string_value": "2"}}),
        }
    )
    assert (config.name, config.max_batch_size) == ("cars", 8)
    assert [list(each.dims) for each in config.input] == [[-1, 64, 64], [3]]
    assert [each.data_type for each in config.input] == [2, 11]
    assert config.response_cache.enable
    assert not config.output
    assert not config.dynamic_batching.preferred_batch_size
    assert {key: each.string_value for key, each in config.parameters.items()} == {
        "a": "1",
        "b": "2",
    }


def test_no_text_ends_its_quotes_or_line():
    generator = random.Random(0)
    alphabet = "\"\\'\n\r\t\0#{}:a0é…🚗\x7f\u2028"
    for _ in range(300):
        text = "".join(generator.choices(alphabet, k=generator.randrange(12)))
        written = to_text({"name": text, "platform": "after"})
        assert len(written.splitlines()) == 2
        config = text_format.Parse(written, ModelConfig())
        assert (config.name, config.platform) == (text, "after")


def test_an_empty_message_is_there():
    """A oneof is chosen by an empty message."""
    assert parsed({"dynamic_batching": {}}).WhichOneof("scheduling_choice") == "dynamic_batching"


def test_what_protobuf_has_not_is_refused():
    with pytest.raises(TypeError, match=r"0\.5 is no value"):
        to_text({"name": 0.5})
