"""Settings, machine and versions: what `run.json` holds, as tables."""

from collections.abc import Mapping
from typing import Any

from posegen_runtime.report import text

TITLES = {
    "hardware": "Machine",
    "versions": "Versions",
    "bundle": "Model",
    "options": "Settings",
}
RIGHT = "options"
"""The longest table stands in a column of its own."""
MAX_ROWS = 80


def facts(run: Mapping[str, Any]) -> str:
    """A table for each group of values in `run`: the known ones first, then the others."""
    names = [name for name in TITLES if name in run] + [name for name in run if name not in TITLES]
    tables = {name: _table(name, run[name]) for name in names if isinstance(run[name], Mapping)}
    if not any(tables.values()):
        return ""
    right = tables.pop(RIGHT, "")
    columns = f"<div>{''.join(tables.values())}</div><div>{right}</div>"
    return f'<h2>Settings and machine</h2><div class="groups">{columns}</div>'


def _table(name: str, values: Mapping[str, Any]) -> str:
    found = _flat(values, "")
    if not found:
        return ""
    rows = "".join(
        f"<tr><th>{text.escape(key.replace('_', ' '), 60)}</th><td>{text.setting(value)}</td></tr>"
        for key, value in found[:MAX_ROWS]
    )
    more = len(found) - MAX_ROWS
    if more > 0:
        rows += f"<tr><th>and {more} more</th><td>in run.json</td></tr>"
    title = TITLES.get(name) or text.escape(name.replace("_", " ").capitalize(), 60)
    return f'<h3>{title}</h3><table class="facts"><tbody>{rows}</tbody></table>'


def _flat(values: Mapping[str, Any], prefix: str) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            found += _flat(value, f"{prefix}{key}: ")
        else:
            found.append((f"{prefix}{key}", value))
    return found
