"""Every TensorRT name that the runtime uses, looked up in the bindings of one version.

    python tests/tensorrt_names.py PACKAGE_FOLDER

imports the bindings in that folder (see `tensorrt_stubs`) and prints JSON: the names used, and
those that this version lacks. The names come from the source: `trt` is the module; a variable is of
a class when it is annotated with it, or holds what a constructor or method is documented to return.
"""

import ast
import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

RUNTIME = Path(__file__).parents[1] / "runtime" / "posegen_runtime"
CLASSES = ast.parse((RUNTIME / "engines" / "bindings.py").read_text()).body
ANNOTATIONS = {node.target.id for node in CLASSES if isinstance(node, ast.AnnAssign)}


class Uses(ast.NodeVisitor):
    """Walks one file as if it ran; an instance is stood for by its class."""

    def __init__(self, trt: Any) -> None:
        self.trt = trt
        self.used: set[str] = set()
        self.missing: set[str] = set()
        self._known: dict[str, Any] = {"trt": trt}

    def value(self, node: ast.AST) -> Any:
        """The class, function or property that `node` stands for; None where nobody can say."""
        if ast.unparse(node) in self._known:
            return self._known[ast.unparse(node)]
        if isinstance(node, ast.Attribute):
            owner = self.value(node.value)
            return None if owner is None else self._look_up(owner, node.attr)
        if isinstance(node, ast.Call):
            called = self.value(node.func)
            if called is None or isinstance(called, type):
                return called
            returned = re.search(r"-> [\w.]*?(\w+)$", called.__doc__ or "", re.MULTILINE)
            return getattr(self.trt, returned[1], None) if returned else None
        return None

    def _look_up(self, owner: Any, name: str) -> Any:
        if owner is not self.trt and not isinstance(owner, type):
            return None
        dotted = name if owner is self.trt else f"{owner.__name__}.{name}"
        self.used.add(dotted)
        if not hasattr(owner, name):
            self.missing.add(dotted)
            return None
        return getattr(owner, name)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.value(node)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            found = self.value(node.value)
            if found is not None and isinstance(target, ast.Name | ast.Attribute):
                self._known[ast.unparse(target)] = found

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._annotate(ast.unparse(node.target), node.annotation)
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        outer = dict(self._known)
        for argument in (*node.args.args, *node.args.kwonlyargs):
            self._annotate(argument.arg, argument.annotation)
        self.generic_visit(node)
        members = {name: value for name, value in self._known.items() if name.startswith("self.")}
        self._known = outer | members

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """A class of ours that TensorRT calls has a method for each that it calls."""
        ours = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
        for base in filter(None, map(self.value, node.bases)):
            called = {name for name, item in vars(base).items() if name[0] != "_" and _calls(item)}
            self.missing |= {f"{base.__name__}.{name} in {node.name}" for name in called - ours}
            self.used |= {f"{base.__name__}.{name}" for name in called}
        self.generic_visit(node)

    def _annotate(self, name: str, annotation: ast.AST | None) -> None:
        words = {
            part.id for part in ast.walk(annotation or ast.Pass()) if isinstance(part, ast.Name)
        }
        if self._known.get(name) is not self.trt:
            self._known.pop(name, None)
        for word in words & ANNOTATIONS:
            self._known[name] = getattr(self.trt, word, None)  # an annotation needs no class


def _calls(item: object) -> bool:
    return callable(item) and not isinstance(item, type)


def main(package: Path) -> None:
    sys.path.insert(0, str(package.parent))
    trt = importlib.import_module(package.name)
    used: set[str] = set()
    missing: set[str] = set()
    for file in sorted(RUNTIME.rglob("*.py")):
        text = file.read_text()
        if "trt." in text or "engines.bindings" in text:
            uses = Uses(trt)
            uses.visit(ast.parse(text))
            used |= uses.used
            missing |= uses.missing
    print(
        json.dumps({"version": trt.__version__, "used": sorted(used), "missing": sorted(missing)})
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
