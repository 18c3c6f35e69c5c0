"""Every kind of file that can be imported, by name."""

from collections.abc import Mapping

from cli.imports import kinds, kinds_assessment
from cli.imports.kinds import Kind

KINDS: Mapping[str, Kind] = {**kinds.KINDS, **kinds_assessment.KINDS}
