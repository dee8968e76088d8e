"""How every command starts and ends: one line for an error, an exit code that means something."""

import sys
from collections.abc import Sequence

import typer

from posegen_runtime.errors import PoseGenError

EXIT_OK = 0
EXIT_SOME_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def run_app(app: typer.Typer, arguments: Sequence[str] | None = None) -> int:
    """Run a Typer application and return its exit code.

    A command returns nothing (0) or raises ``typer.Exit(code)``. `PoseGenError` becomes one line
    on standard error and exit code 2; Ctrl-C becomes 130.
    """
    try:
        app(args=list(arguments) if arguments is not None else None)
    except PoseGenError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else EXIT_USAGE
    return EXIT_OK
