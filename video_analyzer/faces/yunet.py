"""YuNet on ONNX Runtime: the face detector.

Per cell of three grids (strides 8, 16, 32) the network gives a class score and an objectness, an
offset of the centre, the logarithm of the size, and five landmarks as offsets from the cell; the
score is the geometric mean of the first two. Decoding as documented by OpenCV's `FaceDetectorYN`
(https://docs.opencv.org/5.x/df/d20/classcv_1_1FaceDetectorYN.html); paper: Wu et al. 2023,
https://doi.org/10.1007/s11633-023-1423-y. Input is blue, green, red, 0..255, the picture shrunk
to fit and put at the top left, the rest black.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from tenpo.errors import ConfigError
from video_analyzer.detect.registry import Model
from video_analyzer.faces.face import NO_FACES, Faces, Floats, Picture

_STRIDES = (8, 16, 32)
_HEADS = ("cls", "obj", "bbox", "kps")
_LEAST_SCORE = 0.7  # above it blurred faces and profiles are lost, below it hands are found
_OVERLAP = 0.3


class YuNet:
    """A YuNet model.

    Args:
        model: of the registry.
        path: its verified file.
        threads: of one inference.

    Raises:
        ConfigError: the file is no YuNet of the registry's input size.
    """

    def __init__(self, model: Model, path: Path, threads: int = 1) -> None:
        self.label, self._width, self._height = model.label, model.width, model.height
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._names = [f"{head}_{stride}" for head in _HEADS for stride in _STRIDES]
        inputs = self._session.get_inputs()
        outputs = {one.name for one in self._session.get_outputs()}
        if inputs[0].shape != [1, 3, self._height, self._width] or not outputs >= set(self._names):
            raise ConfigError(f"{model.file} is no YuNet of this size", where=str(path))
        self._input = inputs[0].name
        self._cells, self._of_cell = _grid(self._width, self._height)

    def find(self, picture: Picture) -> Faces:
        """Faces of a picture, best first."""
        height, width = picture.shape[:2]
        scale = min(self._width / width, self._height / height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = picture if size == (width, height) else cv2.resize(
            picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        )  # fmt: skip
        tensor = np.zeros((1, 3, self._height, self._width), np.float32)
        tensor[0, :, : size[1], : size[0]] = small.transpose(2, 0, 1)
        told = self._session.run(self._names, {self._input: tensor})
        heads = [np.concatenate([one[0] for one in told[at : at + 3]]) for at in (0, 3, 6, 9)]
        found = self._decoded(*heads)
        factors = np.array([width / size[0], height / size[1]], np.float32)
        return Faces(found.boxes * np.tile(factors, 2), found.points * factors, found.scores)

    def _decoded(self, cls: Floats, obj: Floats, sizes: Floats, points: Floats) -> Faces:
        scores = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
        at = np.flatnonzero(scores >= _LEAST_SCORE)
        if not len(at):
            return NO_FACES
        cells, strides, scores = self._cells[at], self._of_cell[at, None], scores[at]
        centres: Floats = (cells + sizes[at, :2]) * strides
        spans: Floats = np.exp(sizes[at, 2:]) * strides
        offsets = points[at].reshape(-1, 5, 2)
        marks = (cells[:, None] + offsets) * strides[:, None]
        boxes: Floats = np.hstack((centres - spans / 2, spans))
        kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), _LEAST_SCORE, _OVERLAP)
        best = np.asarray(kept, np.int64)
        corners = np.hstack((boxes[best, :2], boxes[best, :2] + boxes[best, 2:]))
        return Faces(corners.astype(np.float32), marks[best].astype(np.float32), scores[best])


def _grid(width: int, height: int) -> tuple[Floats, Floats]:
    """Column and row of each cell, (n, 2), and its stride, (n,)."""
    cells, strides = [], []
    for stride in _STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack((columns, rows), -1).reshape(-1, 2))
        strides.append(np.full(rows.size, stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)
