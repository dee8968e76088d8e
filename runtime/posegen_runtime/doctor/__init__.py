"""`posegen-run --doctor`: what this machine can run, what is missing and what adds it.

It is asked where something is broken, so this process imports neither an engine nor an array
library: what may fail, crash or hang is tried in processes of its own (`ask`, `probes`).
"""

from pathlib import Path


def print_diagnosis(bundle: Path | None = None, json: Path | None = None) -> bool:
    """Print what this machine can run, and write it to `json` too; whether it can generate.

    `json` "-" prints that in place of the text. Raises `PoseGenError` where it cannot be written.
    """
    import msgspec

    from posegen_runtime.doctor.commands import tilde
    from posegen_runtime.doctor.diagnose import diagnose
    from posegen_runtime.doctor.text import to_text
    from posegen_runtime.paths import write_atomic

    diagnosis = diagnose(bundle)
    record = tilde(msgspec.json.format(msgspec.json.encode(diagnosis), indent=2).decode())
    if str(json) == "-":
        print(record)
        return diagnosis.can_generate
    print(to_text(diagnosis))
    if json is not None:
        write_atomic(json, record.encode() + b"\n")
        print(f"\nfor a bug report: {json}")
    return diagnosis.can_generate
