"""The columns of a file of visits that bring evidence (佐证列); all of them may be left out."""

from ltci.provider.v1 import provider_types_pb2 as types

from cli.imports import cells
from cli.imports.kinds.kind import Values, column
from kernel.rpc.validate import Check

YES, NO = "yes", "no"
COLUMNS = (
    column("accuracy_m", cells.whole(0, 1_000_000), required=False),
    column("mocked", cells.one_of(YES, NO), required=False),
    column("end_latitude", cells.degrees(90), required=False),
    column("end_longitude", cells.degrees(180), required=False),
    column("beacon", cells.text(80), required=False, personal=True),
    column("tag", cells.text(80), required=False, personal=True),
    column("family_code", cells.text(80), required=False, personal=True),
    column("face", cells.word(types.SignalResult, "SIGNAL_RESULT_"), required=False),
    column("photos", cells.photos, required=False),
    column("device", cells.text(64), required=False),
    column("offline", cells.one_of(YES, NO), required=False),
    column("signature", cells.hexadecimal(64), required=False),
)
_NAMES = tuple(one.name for one in COLUMNS)
RENAMED = {
    "evidence.end.place.latitude_microdegrees": "end_latitude",
    "evidence.end.place.longitude_microdegrees": "end_longitude",
    "evidence.start.photos.sha256": "photos",
}


def both_ends(check: Check, values: Values) -> None:
    """The place at the end is told whole or not at all."""
    for given, other in (("end_latitude", "end_longitude"), ("end_longitude", "end_latitude")):
        if given in values and other not in values:
            check.fail(other, "REQUIRED", "must be given", "必填")


def evidence_of(values: Values, place: types.Place) -> types.Evidence | None:
    """The evidence of a row; None where it has none of the columns."""
    if not any(name in values for name in _NAMES):
        return None
    start = types.Signals(
        place=place,
        accuracy_m=values.get("accuracy_m", 0),
        mocked=values.get("mocked") == YES,
        beacon=values.get("beacon", ""),
        tag=values.get("tag", ""),
        family_code=values.get("family_code", ""),
        face=values.get("face", 0),
        photos=[
            types.Photo(sha256=sha256, perceptual_hash=look)
            for sha256, look in values.get("photos", ())
        ],
    )
    told = types.Evidence(
        start=start,
        device=values.get("device", ""),
        offline=values.get("offline") == YES,
        signature=values.get("signature", b""),
    )
    if "end_latitude" in values:
        told.end.place.latitude_microdegrees = values["end_latitude"]
        told.end.place.longitude_microdegrees = values["end_longitude"]
    return told
