"""Values that cross between processes: each sample of each task, and what a broken child might answer."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from healthdash import tasks
from healthdash.apart import codec, jobs, wire
from healthdash.apart.buffers import Broken, Buffers, empty
from healthdash.task import Sample, Upload
from tests.fakes import Numbers
from tests.toy import Rows


@dataclass(frozen=True)
class Inner:
    values: NDArray[np.float32]
    text: str = ""


@dataclass(frozen=True)
class Deeper(Inner):
    extra: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Whole:
    inner: Inner
    word: Literal["a", "b"] = "a"
    either: float | str | None = None
    named: Mapping[str, tuple[bool, bytes]]
    names: NDArray[np.str_]
    frame: pd.DataFrame


def across(value: Any, kind: Any) -> Any:
    """Send a value through two sockets, as to a child and back."""
    ours, theirs = socket.socketpair()
    buffers = Buffers()
    node = codec.pack(value, kind, buffers)
    sender = threading.Thread(target=wire.send, args=(theirs, node, buffers))
    sender.start()
    with ours, theirs:
        got = wire.receive(ours, 1 << 30)
        sender.join()
    return codec.unpack(got[0], kind, got[1])


def same(a: Any, b: Any, where: str = "") -> None:
    """Fail unless two values are the same in every field."""
    assert type(a) is type(b), where
    if isinstance(a, np.ndarray):
        assert a.dtype == b.dtype, where
        np.testing.assert_array_equal(a, b, err_msg=where)
    elif is_dataclass(a):
        for one in fields(a):
            same(getattr(a, one.name), getattr(b, one.name), f"{where}.{one.name}")
    elif isinstance(a, pd.DataFrame):
        pd.testing.assert_frame_equal(a, b)
    else:
        assert a == b or a != a, where


SAMPLES = [
    pytest.param(task, example, id=f"{task.slug}-{example.slug}")
    for task in tasks.all_tasks()
    for example in task.examples()
]


@pytest.mark.parametrize(("task", "example"), SAMPLES)
def test_every_sample_of_every_task_crosses_unchanged(task, example):
    for group in task.group(example.make()):
        sample = jobs.read(task, tuple(group))
        same(sample, across(sample, Sample))


def test_toy_samples_and_nested_values_cross_unchanged():
    rows = Rows(
        source="s", kind="table", format="text", values=np.eye(2), rows=np.arange(2), refused={1: ("a", "b")}
    )
    same(rows, across(rows, Sample))
    same(*(lambda one: (one, across(one, Sample)))(
        Numbers(source="", kind="table", format="", values=np.zeros((0, 3), np.int8))
    ))  # fmt: skip
    whole = Whole(
        inner=Deeper(np.float32([[1, np.nan], [3, 4]]), "ü\ud800", (1, 2)), word="b", either=1.5,
        named={"x": (True, b"\x00\xff")}, names=np.array(["ab", "c"]),
        frame=pd.DataFrame({"t": ["a", "", "a"], "n": [1.0, np.nan, 3.0]}, index=[0, 2, 5]),
    )  # fmt: skip
    same(whole, across(whole, Whole))


def test_uploads_cross_as_raw_bytes():
    upload = Upload("name", bytes(range(256)), {"rate_hz": 500, "unit": "mV"})
    buffers = Buffers()
    codec.pack(upload, Upload, buffers)
    assert [array.nbytes for array in buffers.arrays] == [256]
    assert across(upload, Upload) == upload


def test_objects_and_foreign_classes_are_not_sent():
    for value in (np.array([object()]), np.zeros(2, [("a", "i4")])):
        with pytest.raises(TypeError, match="cannot be sent"):
            codec.pack(value, np.ndarray, Buffers())
    with pytest.raises(TypeError, match="expected"):
        codec.pack(Inner(np.zeros(1, np.float64)), Inner, Buffers())
    with pytest.raises(TypeError, match="text or of numbers"):
        codec.pack(pd.DataFrame({"a": [object()]}), pd.DataFrame, Buffers())


@pytest.mark.parametrize(
    ("node", "kind"),
    [
        (["os:system", ["true"]], Sample),
        (["tests.unit.apart.test_codec:Inner", [0]], Inner),
        ([["list"], [0]], Inner),
        (7, Inner),
        ("1", int),
        (True, int),
        (1.5, int),
        ("c", Literal["a", "b"]),
        ([2, 1.0], float | str),
        ([-1, 1.0], float | str),
        ([[1]], Mapping[str, int]),
        ([1, 2, 3], tuple[int, int]),
        (5, np.ndarray),
        (-1, NDArray[np.float32]),
        (0, NDArray[np.float64]),
        (0, NDArray[np.str_]),
        ([[None, 0, 10**30, 1], [], []], pd.DataFrame),
        ([[None, 0, 2, 1], ["a"], [[0, 0]]], pd.DataFrame),
        ([[None, 0, 2, 1], ["a", "b"], [[0]]], pd.DataFrame),
    ],
)  # fmt: skip
def test_an_answer_that_was_not_declared_is_refused(node, kind):
    with pytest.raises((Broken, OverflowError)):
        codec.unpack(node, kind, Buffers([np.zeros(2, np.float32)]))


@pytest.mark.parametrize(
    "table",
    [
        None, [["|O", [1]]], [["V8", [1]]], [["f8,f8", [1]]], [["(9,9)f8", [1]]], [["<f8", [-1]]],
        [["<f8", [1.5]]], [["<f8", [10**9, 10**9]]], [["<U99999999", [99]]], [["<f8", [1] * 99]], [["<f8"]],
        [[{}, []]], [["x" * 99, []]],
    ],
)  # fmt: skip
def test_no_memory_is_reserved_for_arrays_that_are_not_plain_or_too_large(table):
    with pytest.raises(Broken):
        empty(table, 1 << 20)


@pytest.mark.parametrize("sent", [(255, b""), (3, b"abc"), (2, b"[]"), (1, b"7"), (60, b"[" * 60)])
def test_a_message_that_is_too_long_or_no_json_is_refused(sent):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(struct.pack("!QQ", sent[0], 0) + sent[1])
        with pytest.raises(Broken):
            wire.receive(ours, 64)


def test_the_other_side_ends_before_its_message():
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, pytest.raises(wire.Closed):
        wire.receive(ours, 64)
