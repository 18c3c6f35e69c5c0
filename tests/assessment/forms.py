"""Forms for tests: all items at once, a few of them by name."""

from services.assessment.domain.events import ItemScore
from tests.support.packs import CHANGZHOU, pack


def scores(**changed: int) -> dict[str, int]:
    """Everything as well as can be, but for the items named."""
    best = {item.code: max(item.scores) for item in pack(CHANGZHOU).standard().items}
    return best | changed


def bedridden(**changed: int) -> dict[str, int]:
    """No activity of daily living without help, clear in mind: severe, grade 3."""
    lost = {
        item.code: 0 for item in pack(CHANGZHOU).standard().items if item.code.startswith("adl_")
    }
    return scores(**(lost | changed))


def items(told: dict[str, int]) -> tuple[ItemScore, ...]:
    return tuple(ItemScore(item=item, score=score) for item, score in told.items())
