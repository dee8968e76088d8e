"""What can be wrong before there is a cluster; each is one line and exit code 2."""

import socket
import sys
from pathlib import Path

import pytest

from posegen_runtime.cluster.connection import check_answers
from posegen_runtime.errors import PoseGenError
from whole_runs import posegen_run


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ray://10.0.0.1:10001", "on a machine of the cluster, with --address auto"),
        ("10.0.0.1", "give HOST:PORT"),
        ("10.0.0.1:port", "give HOST:PORT"),
        ("10.0.0.1:99999", "give HOST:PORT"),
        ("no-such-host.invalid:6379", "nothing answers there"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused(address: str, words: str) -> None:
    with pytest.raises(PoseGenError, match=words) as error:
        check_answers(address)
    assert f"--address {address}" in str(error.value)


def test_what_listens_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        check_answers(f"127.0.0.1:{port}")
    with pytest.raises(PoseGenError, match="nothing answers there"):
        check_answers(f"127.0.0.1:{port}")


def test_without_ray_the_extra_is_named(
    masks: Path,
    tmp_path: Path,
    tiny_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    out = tmp_path / "out"
    given = ("--masks", masks, "--out", out, "--bundle", tiny_bundle)
    assert posegen_run(*given, "--engine", "ray") == 2
    assert "pip install 'posegen[ray]'" in capsys.readouterr().err
    assert not out.exists()
    assert posegen_run(*given, "--actors", "2") == 2
    assert "--actors: does nothing by itself; add --engine ray" in capsys.readouterr().err
    assert posegen_run(*given) == 0
