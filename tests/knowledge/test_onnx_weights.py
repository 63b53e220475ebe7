"""Weights are found, read and replaced in a real ONNX file; what is no ONNX file is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.onnx_weights import places
from knowledge.weights import ensure
from tests.knowledge.conftest import CACHE


@pytest.fixture(scope="module")
def model() -> bytes:
    """The shipped encoder."""
    return ensure("minilm-int8-onnx", CACHE).read_bytes()


def test_every_matrix_lies_with_its_scales(model: bytes) -> None:
    """36 int8 matrices have one scale for each column, and the tables of embeddings one for each row."""
    found = places(model)
    matrices = [name for name in found if name.startswith("val_") and name.endswith("_q")]
    assert len(matrices) == 36
    for name in matrices:
        assert found[name].dtype is np.int8
        assert found[name.removesuffix("_q") + "_scale"].shape == (1, found[name].shape[1])
        assert found[name].read(model).shape == found[name].shape
    assert found["inner.embeddings.word_embeddings.weight_q"].shape == (30522, 384)


def test_what_is_written_is_read_and_runs(model: bytes, tmp_path: Path) -> None:
    """A changed matrix changes what the runtime computes; every other byte stays."""
    import onnxruntime

    place, changed = places(model)["val_49_q"], bytearray(model)
    place.write(changed, np.zeros(place.shape, np.int8))
    assert not place.read(changed).any()
    assert changed[: place.start] == model[: place.start]
    assert changed[place.end :] == model[place.end :]
    ids = np.array([[101, 2023, 2003, 102]])
    feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    outputs = [
        onnxruntime.InferenceSession(each, providers=["CPUExecutionProvider"]).run(None, feeds)[0]
        for each in (model, bytes(changed))
    ]
    assert np.abs(outputs[0] - outputs[1]).max() > 0.1


def test_values_of_another_shape_or_type_are_refused(model: bytes) -> None:
    """Nothing is written that would move what follows."""
    place = places(model)["val_49_q"]
    for wrong in (np.zeros((1, 2), np.int8), np.zeros(place.shape, np.float32)):
        with pytest.raises(ValueError, match="does not fit"):
            place.write(bytearray(model), wrong)


def test_a_file_that_was_cut_off_is_refused(model: bytes) -> None:
    """A download that ended early is no model."""
    with pytest.raises(ValueError, match="no ONNX file"):
        places(model[: len(model) // 2])


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(noise: bytes) -> None:
    """Foreign bytes end in a ValueError or in no weights, never in anything else."""
    try:
        found = places(noise)
    except (ValueError, UnicodeDecodeError):
        return
    assert all(0 <= place.start <= place.end <= len(noise) for place in found.values())
