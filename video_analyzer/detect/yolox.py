"""YOLOX on ONNX Runtime: the default person detector.

The exported network ends in undecoded heads: per cell of three grids (strides 8, 16, 32) an
offset of the centre, the logarithm of the size, an objectness and 80 class scores (COCO, 0 is
a person). Decoding: https://github.com/Megvii-BaseDetection/YOLOX (Apache-2.0),
`demo/ONNXRuntime`; paper https://arxiv.org/abs/2107.08430. Input is blue, green, red, 0..255,
the picture at the top left, the rest grey.
"""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

from tenpo.errors import ConfigError
from video_analyzer.detect.detection import NOBODY, Detections, Picture
from video_analyzer.detect.registry import Model

_STRIDES = (8, 16, 32)
_GREY = 114
_PERSON = 5  # column: four of the box, objectness, then the classes
_LEAST_SCORE = 0.1  # the tracker takes up weak boxes of people it knows
_OVERLAP = 0.45


class YoloxDetector:
    """A YOLOX model.

    Args:
        model: of the registry.
        path: its verified file.
        threads: of one inference.

    Raises:
        ConfigError: the file is no YOLOX of the registry's input size.
    """

    def __init__(self, model: Model, path: Path, threads: int = 1) -> None:
        self.label, self.width, self.height = model.label, model.width, model.height
        self.spent_s = 0.0
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._cells, self._strides = _grid(self.width, self.height)
        self._input = self._session.get_inputs()[0].name
        shapes = self._session.get_inputs()[0].shape, self._session.get_outputs()[0].shape
        if shapes != ([1, 3, self.height, self.width], [1, len(self._cells), 85]):
            raise ConfigError(f"{model.file} is no YOLOX of this size", where=str(path))
        self._tensor = np.full((1, 3, self.height, self.width), _GREY, np.float32)
        self._filled = (0, 0)

    def detect(self, picture: Picture) -> Detections:
        """People in one picture that fits into the model's input."""
        height, width = picture.shape[:2]
        if self._filled != (height, width):
            self._tensor[:], self._filled = _GREY, (height, width)
        self._tensor[0, :, :height, :width] = picture.transpose(2, 0, 1)
        begun = time.thread_time()
        found = self._session.run(None, {self._input: self._tensor})[0][0]
        self.spent_s += time.thread_time() - begun
        return self._decoded(found, width, height)

    def _decoded(self, found: npt.NDArray[np.float32], width: int, height: int) -> Detections:
        scores = found[:, 4] * found[:, _PERSON]
        places = np.flatnonzero(scores >= _LEAST_SCORE)
        if not len(places):
            return NOBODY
        rows, strides = found[places], self._strides[places, None]
        centres = (rows[:, :2] + self._cells[places]) * strides
        sizes = np.exp(rows[:, 2:4]) * strides
        boxes: npt.NDArray[np.float32] = np.hstack((centres - sizes / 2, sizes))
        listed = boxes.tolist(), scores[places].tolist()
        kept = np.asarray(cv2.dnn.NMSBoxes(*listed, _LEAST_SCORE, _OVERLAP), np.int64)
        corners = np.hstack((boxes[kept, :2], boxes[kept, :2] + boxes[kept, 2:]))
        return Detections(
            corners.astype(np.float64) / (width, height, width, height),
            scores[places][kept].astype(np.float64),
        )


def _grid(width: int, height: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Column and row of each cell, (n, 2), and its stride, (n,)."""
    cells, strides = [], []
    for stride in _STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack((columns, rows), -1).reshape(-1, 2))
        strides.append(np.full(rows.size, stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)
