"""The rule about rows that are far longer or shorter than the others; it holds two numbers of each row."""

from array import array
from collections.abc import Iterator

from trainers.data.findings import Finding, Spots, lines_have, warn
from trainers.data.rules.view import View

LEAST_ROWS = 20  # fewer show no usual length
TIMES = 8  # an outlier has so many times the usual length, or that part of it
SPREAD = 5.0  # and lies so many robust standard deviations away, on a logarithmic scale
_SHORT_MATTERS = 80  # characters of a usual answer from which a very short one is odd
_TO_SIGMA = 1.4826  # a median absolute deviation of this is one standard deviation of a normal distribution
_SMALLEST = 0.1  # files whose lengths hardly differ would make every other length an outlier


class Lengths:
    """Warns about questions and answers of a length that is far from what is usual."""

    def __init__(self) -> None:
        """Start without a row."""
        self._lines = array("Q")
        self._asked, self._answered = array("I"), array("I")

    def see(self, view: View) -> None:
        """Take a row into account."""
        self._lines.append(view.line)
        self._asked.append(len(view.prompt))
        self._answered.append(len(view.row.target))

    def findings(self) -> Iterator[Finding]:
        """Say which rows stand out."""
        if len(self._lines) < LEAST_ROWS:
            return
        import numpy as np

        odd = np.zeros(len(self._lines), dtype=bool)
        for lengths in (self._asked, self._answered):
            odd |= _outliers(np.frombuffer(lengths, dtype=np.uint32))
        lines = Spots(np.frombuffer(self._lines, dtype=np.uint64)[odd].tolist())
        if lines:
            message = f"{lines_have(lines)} a length far from the others', as rows have that went wrong in an export."
            yield warn("length_outlier", lines, message, "Look at them: cut, split or drop what is no good example.")


def _outliers(lengths: "object") -> "object":
    """Return which lengths are far from the median."""
    import numpy as np

    logs = np.log1p(np.asarray(lengths, dtype=np.float64))
    middle = np.median(logs)
    sigma = max(_SMALLEST, _TO_SIGMA * float(np.median(np.abs(logs - middle))))
    far = np.abs(logs - middle) > SPREAD * sigma
    usual = np.expm1(middle)
    long = np.asarray(lengths) > max(TIMES * usual, 40)
    short = (np.asarray(lengths) < usual / TIMES) & (usual >= _SHORT_MATTERS)
    return far & (long | short)
