"""Knows where weights lie in the bytes of an ONNX file, so that they can be read and replaced; it runs no model.

An ONNX file is a protobuf message. Only the few fields on the way to the initializers are looked at, as onnx.proto3
numbers them (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3); everything else is stepped over.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

_GRAPH, _INITIALIZER = 7, 5
_DIMS, _DATA_TYPE, _NAME, _RAW_DATA = 1, 2, 8, 9
_DTYPES: Mapping[int, type[np.generic]] = {1: np.float32, 3: np.int8, 7: np.int64}
"""TensorProto.DataType of the tensors that we read."""
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


class Place(NamedTuple):
    """Where one tensor's values lie in a file."""

    start: int
    end: int
    dtype: type[np.generic]
    shape: tuple[int, ...]

    def read(self, model: bytes | bytearray) -> npt.NDArray[Any]:
        """Return a copy of the values."""
        return np.frombuffer(bytes(model[self.start : self.end]), self.dtype).reshape(self.shape)

    def write(self, model: bytearray, values: npt.NDArray[Any]) -> None:
        """Put values of the same type and shape in place of those that are there; raises ValueError for others."""
        if values.dtype != self.dtype or values.shape != self.shape:
            raise ValueError(f"{values.dtype}{values.shape} does not fit {self.dtype.__name__}{self.shape}")
        model[self.start : self.end] = np.ascontiguousarray(values).tobytes()


def places(model: bytes) -> dict[str, Place]:
    """Return where each initializer with raw values lies, by name; raises ValueError for other bytes."""
    found: dict[str, Place] = {}
    for number, start, end in _fields(model, 0, len(model)):
        if number == _GRAPH:
            for inner, begin, stop in _fields(model, start, end):
                if inner == _INITIALIZER:
                    found |= _tensor(model, begin, stop)
    return found


def _tensor(model: bytes, start: int, end: int) -> dict[str, Place]:
    name, kind, raw = "", 0, (0, 0)
    dims: list[int] = []
    for number, begin, stop in _fields(model, start, end):
        if number == _DIMS:
            dims += _numbers(model, begin, stop)
        elif number == _DATA_TYPE:
            kind = begin
        elif number == _NAME:
            name = model[begin:stop].decode()
        elif number == _RAW_DATA:
            raw = (begin, stop)
    return {name: Place(*raw, _DTYPES[kind], tuple(dims))} if raw[1] and kind in _DTYPES else {}


def _numbers(model: bytes, begin: int, stop: int) -> Iterator[int]:
    """Read a repeated number: packed between two positions, or a single one that stands for itself."""
    if stop < 0:
        yield begin
    while begin < stop:
        value, begin = _varint(model, begin)
        yield value


def _fields(model: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield each field's number with start and end of its bytes; for a plain number the number itself and -1."""
    while at < end:
        key, at = _varint(model, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(model, at)
            yield number, value, -1
        elif wire == _LENGTH:
            length, at = _varint(model, at)
            yield number, at, at + length
            at += length
        elif wire in (_FIXED64, _FIXED32):
            at += 8 if wire == _FIXED64 else 4
        else:
            raise ValueError("these bytes are no ONNX file")
    if at != end:
        raise ValueError("these bytes are no ONNX file, or one that was cut off")


def _varint(model: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(model):
        byte = model[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
        shift += 7
    raise ValueError("these bytes are no ONNX file, or one that was cut off")
