"""What a run refuses to go on with, in words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger_jobs import named_jobs, result
from posegen_runtime.ledger import Identity, Ledger, State, file_mark


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path, write=True) as ledger:
        yield ledger


def identity(values: dict[str, Any] | None = None, **files: dict[str, str]) -> Identity:
    return Identity(
        values={"--seed": 0, "--bundle": "a" * 64, "--labels": ("coco",)} | (values or {}),
        files={f"--{option}": sorted(marks.items()) for option, marks in files.items()},
    )


def test_nothing_differs_from_nothing(ledger: Ledger) -> None:
    assert ledger.identity() is None
    assert ledger.changed(identity()) == []


def test_the_same_is_the_same(tmp_path: Path) -> None:
    masks = dict.fromkeys(("a.png", "B.png", "é.png", "🚗.png", "\uffff.png"), "1:2")
    with Ledger.open(tmp_path, write=True) as ledger:
        ledger.set_identity(identity(masks=masks))
    with Ledger.open(tmp_path, write=False) as ledger:
        assert ledger.identity() == {"--seed": 0, "--bundle": "a" * 64, "--labels": ["coco"]}
        assert ledger.changed(identity(masks=masks)) == []


def test_values_that_differ_are_named(ledger: Ledger) -> None:
    ledger.set_identity(identity({"--poses": "old.jsonl", "--fit": "object"}))
    assert ledger.changed(
        identity({"--seed": 1, "--bundle": "b" * 64, "--fit": "", "--mesh": {"a": 1}})
    ) == [
        "--seed (0 there, 1 here)",
        f"--bundle ({'a' * 59}… there, {'b' * 59}… here)",
        "--fit (object there, '' here)",
        '--mesh (none there, {"a":1} here)',
        "--poses (old.jsonl there, none here)",
    ]


@pytest.mark.parametrize(
    ("here", "words"),
    [
        ({"a": "1", "b": "1", "d": "1"}, "1 file more, such as d"),
        ({"0": "1", "a": "1", "b": "1", "bb": "1"}, "2 files more, such as 0"),
        ({"b": "1"}, "1 file fewer, such as a"),
        ({"a": "2", "b": "1"}, "1 file changed, such as a"),
        (
            {"a": "9", "c": "1", "d": "1", "e": "1"},
            "3 files more, 1 fewer, 1 changed, such as a",
        ),
        ({}, "2 files fewer, such as a"),
        ({"a": "1", "a\nb": "1", "b": "1"}, "1 file more, such as 'a\\nb'"),
    ],
)
def test_files_that_differ_are_counted(ledger: Ledger, here: dict[str, str], words: str) -> None:
    ledger.plan(named_jobs(["a", "b"]), 2)
    ledger.finish([result(0), result(1)])
    ledger.set_identity(identity(masks={"a": "1", "b": "1"}))
    assert ledger.changed(identity(masks=here)) == [f"--masks: {words}"]


@pytest.mark.parametrize(
    ("state", "changed", "gone"),
    [
        (State.DONE, True, True),
        (State.REJECTED, True, True),
        (State.PENDING, False, True),
        (State.FAILED, False, False),
    ],
)
def test_a_file_matters_to_what_was_or_will_be_made_of_it(
    ledger: Ledger, state: State, changed: bool, gone: bool
) -> None:
    ledger.plan(named_jobs(["a", "b"]), 2)
    if state is not State.PENDING:
        ledger.finish([result(0, state=state)])
    ledger.set_identity(identity(masks={"a": "1", "b": "1"}))
    words = ["--masks: 1 file changed, such as a"] if changed else []
    assert ledger.changed(identity(masks={"a": "2", "b": "1"})) == words
    fewer = ["--masks: 1 file fewer, such as a"] if gone else []
    assert ledger.changed(identity(masks={"b": "1"})) == fewer


def test_any_file_of_an_option_that_is_no_input_of_an_image_matters(ledger: Ledger) -> None:
    ledger.set_identity(identity(mesh={"a": "1"}))
    assert ledger.changed(identity(mesh={"a": "2"})) == ["--mesh: 1 file changed, such as a"]


def test_a_folder_that_came_or_went_is_named(ledger: Ledger) -> None:
    ledger.plan(named_jobs(["a"]), 1)
    ledger.set_identity(identity(masks={"a": "1"}))
    assert ledger.changed(identity(background={"x": "1"})) == [
        "--background: 1 file more, such as x",
        "--masks: 1 file fewer, such as a",
    ]


def test_it_is_replaced_whole(ledger: Ledger) -> None:
    ledger.set_identity(identity(masks={"a": "1"}))
    with pytest.raises(OSError, match="vanished"):
        ledger.set_identity(Identity(values={"--seed": 5}, files={"--masks": vanishing()}))
    assert ledger.changed(identity(masks={"a": "1"})) == []
    ledger.set_identity(identity({"--seed": 5}, background={"b": "1"}))
    assert ledger.changed(identity({"--seed": 5}, background={"b": "1"})) == []


def vanishing() -> Iterator[tuple[str, str]]:
    yield "a", "1"
    raise OSError("vanished")


def test_a_mark_follows_the_content(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(b"1")
    first = file_mark(file)
    assert file_mark(file) == first
    file.write_bytes(b"12")
    assert file_mark(file) != first
