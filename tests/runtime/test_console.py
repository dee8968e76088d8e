"""Errors that reach the top of a command end as one line and an exit code."""

import errno

import pytest
import typer

from posegen_runtime.console import run_app
from posegen_runtime.errors import PoseGenError


def _caused_by(cause: OSError) -> PoseGenError:
    error = PoseGenError("a.png: cannot be written")
    error.__cause__ = cause
    return error


CASES = [
    (PoseGenError("a.png: no image; name one"), 2, "error: a.png: no image; name one\n"),
    (
        ModuleNotFoundError("No module named 'onnx'", name="onnx.helper"),
        2,
        "error: this command needs onnx.helper, which is not installed: "
        "pip install 'posegen[export]'\n",
    ),
    (
        ModuleNotFoundError("No module named 'trimesh'", name="trimesh"),
        2,
        "error: this command needs trimesh, which is not installed: pip install 'posegen[data]'\n",
    ),
    (
        ModuleNotFoundError("No module named 'cv2'", name="cv2"),
        2,
        "error: OpenCV is not installed: on a Jetson it comes with JetPack, for "
        "`python -m venv --system-site-packages`; elsewhere pip install opencv-python-headless\n",
    ),
    (OSError(errno.EACCES, "Permission denied", "x/y"), 2, "error: x/y: Permission denied\n"),
    (OSError(errno.ENOSPC, "No space left", "x/y"), 3, "error: x/y: No space left\n"),
    (OSError(errno.EDQUOT, "Quota exceeded", "x/y"), 3, "error: x/y: Quota exceeded\n"),
    (_caused_by(OSError(errno.ENOSPC, "No space left")), 3, "error: a.png: cannot be written\n"),
    (_caused_by(OSError(errno.EACCES, "Denied")), 2, "error: a.png: cannot be written\n"),
    (KeyboardInterrupt(), 130, "interrupted\n"),
    (typer.Exit(1), 1, ""),
]


@pytest.mark.parametrize(("error", "code", "line"), CASES, ids=lambda case: type(case).__name__)
def test_one_line_and_an_exit_code(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()

    @app.command()
    def command() -> None:
        raise error

    assert run_app(app, []) == code
    assert capsys.readouterr().err == line


@pytest.mark.parametrize(("command", "extra"), [("int8", "int8"), ("onnx", "export")])
def test_the_extra_is_that_of_the_command(
    command: str, extra: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()

    @app.command("int8")
    @app.command("onnx")
    def needy() -> None:
        raise ModuleNotFoundError("No module named 'onnx'", name="onnx")

    assert run_app(app, [command]) == 2
    assert capsys.readouterr().err.endswith(f"pip install 'posegen[{extra}]'\n")


def test_a_bug_in_our_own_imports_is_not_hidden() -> None:
    app = typer.Typer()

    @app.command()
    def command() -> None:
        raise ModuleNotFoundError("No module named 'posegen_runtime.x'", name="posegen_runtime.x")

    with pytest.raises(ModuleNotFoundError):
        run_app(app, [])
