"""What the tests of several backends share."""

import builtins
import sys
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def uninstall(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make a package look as if it were not installed."""
    real_import = builtins.__import__

    def hide(package: str) -> None:
        def without(name: str, *args: Any, **kwargs: Any) -> Any:
            if name.partition(".")[0] == package:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            return real_import(name, *args, **kwargs)

        monkeypatch.delitem(sys.modules, package, raising=False)
        monkeypatch.setattr(builtins, "__import__", without)

    return hide
