"""A rig for every test; networks and darkroom are started once."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from edge import config as configuration
from edge.models.mobilefacenet import MobileFaceNet
from edge.models.mtcnn import Mtcnn
from edge.settings import Config
from edge.studio import CableStudio
from tests.cable.rig import Rig, rigged


@pytest.fixture(scope="session")
def studio(detector: Mtcnn, embedder: MobileFaceNet) -> Iterator[CableStudio]:
    with closing(CableStudio(configuration.load(None, environment={}), detector, embedder)) as studio:
        yield studio


@pytest.fixture
def rig(house: Config, studio: CableStudio, embedder: MobileFaceNet) -> Iterator[Rig]:
    with rigged(house, studio, embedder.model_id, embedder.dimension) as rig:
        yield rig
