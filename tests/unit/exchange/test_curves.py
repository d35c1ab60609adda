"""Training curves from elsewhere: three forms, and what is none of them."""

from __future__ import annotations

import io
import json
import struct
import zipfile

import numpy as np
import pytest

from healthdash import settings
from healthdash.errors import HealthdashError, InvalidInput, UnreadableUpload
from healthdash.exchange import curves
from healthdash.exchange.curves import read_curves


def test_a_keras_history_is_read_with_epochs_from_one():
    found = read_curves(json.dumps({"loss": [1.0, 0.5], "val_loss": [1.1, 0.6]}).encode())
    assert found.history.to_dict("list") == {"epoch": [1, 2], "loss": [1.0, 0.5], "val_loss": [1.1, 0.6]}
    whole = json.dumps({"params": {"epochs": 2}, "epoch": [0, 1], "history": {"loss": [1.0, 0.5]}})
    assert read_curves(whole.encode()).history.to_dict("list") == {"epoch": [1, 2], "loss": [1.0, 0.5]}


def test_a_file_of_csvlogger_is_read_whatever_separates_its_cells():
    for separator in (",", ";", "\t"):
        text = "epoch,accuracy,loss\n0,0.5,1\n1,0.75,NA\n".replace(",", separator)
        history = read_curves(text.encode()).history
        assert history["epoch"].tolist() == [1, 2]
        assert history["accuracy"].tolist() == [0.5, 0.75]
        assert np.isnan(history["loss"][1])


def test_a_history_of_our_own_keeps_its_folds_apart():
    history = read_curves(b"run,epoch,loss\nfold 1,1,0.9\nfold 2,1,0.8\n").history
    assert history.to_dict("list") == {"run": ["fold 1", "fold 2"], "epoch": [1, 1], "loss": [0.9, 0.8]}


def test_event_files_of_training_and_validation_stand_side_by_side():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("logs/train/events.out.tfevents.1", _events("epoch_loss", [1.0, 0.5, 0.25]))
        archive.writestr("logs/validation/events.out.tfevents.2", _events("epoch_loss", [1.1, 0.6]))
    history = read_curves(packed.getvalue()).history
    assert history["epoch"].tolist() == [1, 2, 3]
    assert history["loss"].tolist() == [1.0, 0.5, 0.25]
    np.testing.assert_allclose(history["val_loss"], [1.1, 0.6, np.nan], rtol=1e-6)


def test_a_scalar_called_epoch_is_no_measure():
    data = _events("train_loss", [1.0, 0.5]) + _events("epoch", [0.0, 1.0])
    assert read_curves(data).history.to_dict("list") == {"epoch": [1, 2], "train_loss": [1.0, 0.5]}


def test_an_event_file_that_breaks_off_gives_what_stands_before():
    whole = _events("loss", [4.0, 2.0, 1.0])
    assert read_curves(whole[:-9]).history["loss"].tolist() == [4.0, 2.0]


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00\x01\x02", b"[1, 2, 3]", b"{", b'{"loss": "high"}', b"a,b\n1\n", b"[" * 100_000],
    ids=["empty", "bytes", "numbers", "broken", "words", "ragged", "deep"],
)
def test_what_is_no_curve_is_refused_in_words(data):
    with pytest.raises(HealthdashError, match=r"expected|no number"):
        read_curves(data)


def test_sizes_are_bounded(monkeypatch):
    monkeypatch.setenv("HEALTHDASH_APART", "0")  # a child would not see the smaller bounds
    settings.current.cache_clear()
    monkeypatch.setattr(curves, "_MOST_EPOCHS", 5)
    with pytest.raises(InvalidInput, match="at most 5 epochs"):
        read_curves(json.dumps({"loss": list(range(10))}).encode())
    with pytest.raises(UnreadableUpload):
        read_curves(b"loss\n" + b"1\n" * 10)


def test_names_hold_no_markup():
    found = read_curves(json.dumps({"![x](http://evil.example)<b>": [1.0, 2.0]}).encode())
    (name,) = found.measures
    assert not set("![]<>:`*") & set(name)


def _events(tag: str, values: list[float]) -> bytes:
    """Return an event file as TensorBoard's writers write it."""
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    written = io.BytesIO()
    for step, value in enumerate(values):
        summary = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, simple_value=value)])
        record = event_pb2.Event(wall_time=1.0, step=step, summary=summary).SerializeToString()
        length = struct.pack("<Q", len(record))
        written.write(length + struct.pack("<I", masked_crc32c(length)))
        written.write(record + struct.pack("<I", masked_crc32c(record)))
    return written.getvalue()
