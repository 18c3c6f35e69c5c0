"""All detectors, by name."""

from collections.abc import Mapping

from services.provider.domain.detection.detector import Detector
from services.provider.domain.detection.of_carers import OF_CARERS
from services.provider.domain.detection.of_facts import OF_FACTS
from services.provider.domain.detection.of_peers import OF_PEERS
from services.provider.domain.detection.of_visits import OF_VISITS

DETECTORS: Mapping[str, Detector] = {
    one.name: one for one in (*OF_CARERS, *OF_VISITS, *OF_FACTS, *OF_PEERS)
}
