"""YuNet, the face detector: Wu, Peng, Yu (2023), doi 10.1007/s11633-023-1423-y."""

from pathlib import Path

import cv2
import numpy as np

from seqdis.errors import UserError

LONGEST = 640  # larger frames are halved until they fit: faces stay large enough
SCORE, OVERLAP = 0.6, 0.3  # least score; most overlap of two faces

Faces = np.ndarray
"""float32 `(n, 15)` pixels: box x, y, width, height; right eye, left eye, nose tip,
right and left corner of the mouth as x, y (right is the person's); score."""


class Detector:
    """Finds faces in frames; remembers the frame size it was last used with."""

    def __init__(self, weights: Path) -> None:
        """Read the ONNX file.

        Raises:
            UserError: it is missing or not the network.
        """
        cv2.setNumThreads(1)  # one core per job; jobs run side by side
        # It warns that no GPU was chosen, each time.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        try:
            self.network = cv2.FaceDetectorYN.create(
                str(weights), "", (LONGEST, LONGEST), SCORE, OVERLAP
            )
        except cv2.error as problem:
            raise UserError(
                f"{weights} cannot be read as the face detector. Fetch it again: "
                "python -m datasets.download yunet."
            ) from problem

    def __call__(self, image: np.ndarray) -> Faces:
        """Return the faces of uint8 `(height, width, 3)`, red first."""
        shrunk = -(-max(image.shape[:2]) // LONGEST)
        if shrunk > 1:
            size = (image.shape[1] // shrunk, image.shape[0] // shrunk)
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        height, width = image.shape[:2]
        self.network.setInputSize((width, height))
        found = self.network.detect(np.ascontiguousarray(image[..., ::-1]))[1]
        if found is None:
            return np.empty((0, 15), np.float32)
        found[:, :14] *= shrunk
        return found
