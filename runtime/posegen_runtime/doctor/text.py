"""The diagnosis for people, as wide as their terminal."""

import shutil
import textwrap

from posegen_runtime.doctor.commands import extra, tilde
from posegen_runtime.doctor.findings import Advice, Diagnosis, Section

NARROWEST, WIDEST = 60, 100
NAME = 15
"""Columns of the names."""
SELFTEST = "Are its images PyTorch's?    posegen-run --selftest"


def to_text(diagnosis: Diagnosis) -> str:
    width = min(max(shutil.get_terminal_size((80, 24)).columns, NARROWEST), WIDEST)
    blocks = [_wrapped(f"posegen {diagnosis.posegen}: {diagnosis.verdict}", "", width)]
    blocks += [_section(section, width) for section in diagnosis.sections]
    blocks.append(_auto(diagnosis, width))
    repairs = [item for item in diagnosis.advice if item.repair]
    others = [item for item in diagnosis.advice if not item.repair]
    if repairs:
        blocks.append(_advice("To repair", repairs, width))
    if others:
        blocks.append(_advice("To add, or to mend where you need it", others, width))
    blocks.append(f"Any other extra:             {extra('NAME')}\n{SELFTEST}")
    return "\n\n".join(blocks)


def _section(section: Section, width: int) -> str:
    lines = [section.title]
    for fact in section.facts:
        start = f"  {fact.state.value}  {fact.name:<{NAME}}"
        lines.append(_wrapped(start + tilde(fact.text), " " * (6 + NAME), width))
    return "\n".join(lines)


def _auto(diagnosis: Diagnosis, width: int) -> str:
    auto = diagnosis.auto
    if "error" in auto:
        text = f"nothing: {auto['error']}"
    else:
        text = f"{auto['backend']}, {auto['precision']}: {auto['why']}"
    lines = ["What --backend auto takes", _wrapped(f"  {tilde(text)}", "  ", width)]
    for trial in diagnosis.trials:
        told = f"fails: {trial.error}" if trial.error else "made an image just now"
        lines.append(_wrapped(f"  {trial.backend} {tilde(told)}", "    ", width))
    if auto.get("backend") == "tensorrt":
        lines.append("  its engines are built at the first run, which takes minutes")
    return "\n".join(lines)


def _advice(title: str, items: list[Advice], width: int) -> str:
    lines = [title]
    for item in items:
        lines.append(_wrapped(f"  {item.why}", "  ", width))
        lines += [f"      {command}" for command in item.commands]
    return "\n".join(lines)


def _wrapped(text: str, indent: str, width: int) -> str:
    return textwrap.fill(
        text,
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )
