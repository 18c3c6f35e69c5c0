"""Whether a visit's evidence speaks for it (多重佐证). Pure: no clock, no I/O.

These conditions are asked only of a visit that brought evidence, each only where its signal was
given: a ruling made before there was evidence is made again to the same bytes.
They stand on findings that the visit brings by value, so they hold when the evidence is gone.
Source: design readings; figures from the pool's rule pack, by the day of care.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Trace
from services.provider.domain.evidence import Kept, SignalResult, VisitFindings, together


def _reading(name: str, what: str) -> Clause:
    return Clause(key=f"provider.{name}", citation=f"design reading: {what}", verified=False)


PLACE_REAL = _reading("place_real", "a simulated place proves no presence")
SIGNATURE = _reading("device_signature", "a capture counts as its device signed it")
MARKER = _reading("place_markers", "beacon and tag belong to the place of care")
FACE = _reading("face_match", "the face is that of the person cared for or of the caregiver")
FAMILY_CODE = _reading("family_code", "the code is the one the family has")
_RESULTS = ("signature", "beacon", "tag", "face", "family_code")


@dataclass(frozen=True, kw_only=True)
class Evident:
    """What a visit says of its evidence: what was read from it, and the digests that prove it."""

    findings: VisitFindings
    digests: tuple[str, ...]  # in hex, in the order they came

    def asked(self) -> dict[str, str | int]:
        """As the visit's ruling keeps it, beside the question."""
        found = self.findings
        return {
            "evidence": ",".join(self.digests),
            "end_distance_m": found.end_distance_m,
            "accuracy_m": found.accuracy_m,
            "mocked": int(found.mocked),
            "clock_skew_seconds": found.clock_skew_seconds,
            **{name: getattr(found, name) or "" for name in _RESULTS},
        }


def evident_of(kept: tuple[Kept, ...]) -> Evident | None:
    """What the evidence kept of a visit says; None where there is none."""
    found = together(kept)
    if found is None:
        return None
    return Evident(findings=found, digests=tuple(one.digest.hex() for one in kept))


def evident_in(asked: Mapping[str, str | int]) -> Evident | None:
    """The inverse of `Evident.asked`; None for a ruling on a visit without evidence."""
    if "evidence" not in asked:
        return None
    signature, beacon, tag, face, family_code = (_result(str(asked[name])) for name in _RESULTS)
    return Evident(
        findings=VisitFindings(
            end_distance_m=int(asked["end_distance_m"]),
            accuracy_m=int(asked["accuracy_m"]),
            mocked=bool(asked["mocked"]),
            clock_skew_seconds=int(asked["clock_skew_seconds"]),
            signature=signature,
            beacon=beacon,
            tag=tag,
            face=face,
            family_code=family_code,
        ),
        digests=tuple(str(asked["evidence"]).split(",")),
    )


def speaks_for(
    trace: Trace, evident: Evident, *, distance_m: int, day: date, pack: Pack
) -> dict[str, bool]:
    """By reason, whether it holds; `distance_m` is that of the start from the place of care."""
    found = evident.findings
    held = {
        "LOCATION_SIMULATED": trace.check(
            holds=not found.mocked,
            clause=PLACE_REAL,
            label="the place was not simulated",
            inputs={"mocked": found.mocked},
        )
    }
    held |= _figures(trace, found, day, pack)
    held |= _matches(trace, found)
    asked_for = pack.figure("provider.visit_signals_min", day)
    if asked_for.integer():
        near = distance_m <= pack.integer("provider.visit_distance_m_max", day)
        agreeing = _agreeing(found, near=near)
        held["TOO_FEW_SIGNALS"] = trace.check(
            holds=len(agreeing) >= asked_for.integer(),
            clause=asked_for,
            label="enough independent signals agree that the caregiver was there",
            inputs={
                "signals": ",".join(agreeing),
                "signals_count": len(agreeing),
                "signals_min": asked_for.integer(),
            },
        )
    return held


def _figures(trace: Trace, found: VisitFindings, day: date, pack: Pack) -> dict[str, bool]:
    held: dict[str, bool] = {}
    if found.end_distance_m >= 0:
        limit = pack.figure("provider.visit_distance_m_max", day)
        held["LEFT_EARLY"] = trace.check(
            holds=found.end_distance_m <= limit.integer(),
            clause=limit,
            label="the device was near the place of care at the end, too",
            inputs={"end_distance_m": found.end_distance_m, "distance_m_max": limit.integer()},
        )
    if found.accuracy_m:
        limit = pack.figure("provider.visit_accuracy_m_max", day)
        held["PLACE_INACCURATE"] = trace.check(
            holds=found.accuracy_m <= limit.integer(),
            clause=limit,
            label="the device knew well enough where it was",
            inputs={"accuracy_m": found.accuracy_m, "accuracy_m_max": limit.integer()},
        )
    if found.clock_skew_seconds:
        limit = pack.figure("provider.clock_skew_seconds_max", day)
        held["CLOCK_SKEWED"] = trace.check(
            holds=abs(found.clock_skew_seconds) <= limit.integer(),
            clause=limit,
            label="the device's clock was right enough",
            inputs={
                "clock_skew_seconds": found.clock_skew_seconds,
                "clock_skew_seconds_max": limit.integer(),
            },
        )
    return held


def _matches(trace: Trace, found: VisitFindings) -> dict[str, bool]:
    """What was compared. What nothing is on record for speaks neither for the visit nor against."""
    held: dict[str, bool] = {}
    for reason, clause, label, named in (
        (
            "SIGNATURE_NOT_MATCHED",
            SIGNATURE,
            "the capture is signed by a device of the provider",
            {"signature": found.signature},
        ),
        (
            "MARKER_NOT_MATCHED",
            MARKER,
            "beacon and tag are those of the place of care",
            {"beacon": found.beacon, "tag": found.tag},
        ),
        ("FACE_NOT_MATCHED", FACE, "the face matches", {"face": found.face}),
        (
            "FAMILY_CODE_WRONG",
            FAMILY_CODE,
            "the family's code is right",
            {"family_code": found.family_code},
        ),
    ):
        given = {name: result for name, result in named.items() if result is not None}
        if given:
            held[reason] = trace.check(
                holds=SignalResult.NOT_MATCHED not in given.values(),
                clause=clause,
                label=label,
                inputs=dict(given),
            )
    return held


def _agreeing(found: VisitFindings, *, near: bool) -> list[str]:
    """The kinds of signal that say, each by itself, that the caregiver was there."""
    matched = SignalResult.MATCHED
    said = {
        "place": near and not found.mocked,
        "beacon": found.beacon is matched,
        "tag": found.tag is matched,
        "face": found.face is matched,
        "family_code": found.family_code is matched,
    }
    return [name for name, agrees in said.items() if agrees]


def _result(text: str) -> SignalResult | None:
    return SignalResult(text) if text else None
