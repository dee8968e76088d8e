"""Why images were not made, grouped so that a thousand bad files are one line."""

from collections.abc import Iterable

from posegen_runtime.ledger.entries import Reason
from posegen_runtime.ledger.schema import State

Failure = tuple[int, str, str, str, str | None, str | None]
"""Code of the state, reason, object, and the names of mask, appearance and background."""


def grouped(failures: Iterable[Failure]) -> list[Reason]:
    """The reasons without the names of files, the most frequent first."""
    counts: dict[tuple[int, str], int] = {}
    examples: dict[tuple[int, str], str] = {}
    for state, reason, obj, mask, appearance, background in failures:
        named = f"{mask}:{obj}" if obj else mask
        for kind, name in (("", mask), ("appearance", appearance), ("background", background)):
            rest = _without(reason, name)
            if rest is not None:
                reason = f"{kind}: {rest}" if kind else rest
                named = name if kind and name else named
                break
        key = state, reason
        counts[key] = counts.get(key, 0) + 1
        examples.setdefault(key, named)
    ordered = sorted(counts, key=lambda key: (-counts[key], key))
    return [Reason(State.of(key[0]), key[1], counts[key], examples[key]) for key in ordered]


def _without(reason: str, name: str | None) -> str | None:
    """`reason` behind the path that ends with `name`; None where it does not begin with one."""
    if name is None:
        return None
    plain = name.removeprefix("bundle:")
    at = reason.find(f"{plain}: ")
    if at == 0 or (at > 0 and reason[at - 1] in "/\\"):
        return reason[at + len(plain) + 2 :]
    return None
