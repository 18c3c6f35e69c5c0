"""Visits that bring evidence, over the wire, and a device that signs them."""

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ltci.provider.v1 import provider_service_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types

from tests.provider.test_service import CARED_FOR, CARER, NEXT_DOOR, upload

# What nobody may find again once it is forgotten.
BEACON, TAG, CODE = "bedside-7f3a91", "nfc-04a1b2c3", "family-code-802417"
PHOTO = types.Photo(sha256=bytes(range(32)), perceptual_hash=2**63 + 5)


def signals(**changes: Any) -> types.Signals:
    told: dict[str, Any] = {
        "place": NEXT_DOOR,
        "accuracy_m": 15,
        "device_time": "2024-03-04T09:00:03+08:00",
        "beacon": BEACON,
        "tag": TAG,
        "photos": [PHOTO],
        "face": types.SIGNAL_RESULT_MATCHED,
        "family_code": CODE,
    }
    return types.Signals(**(told | changes))


def evidence(**changes: Any) -> types.Evidence:
    told: dict[str, Any] = {"start": signals(), "device": "D-0001", "offline": True}
    return types.Evidence(**(told | changes))


def shown(name: str = "visit", **changes: Any) -> pb.SubmitVisitRequest:
    """A visit with evidence."""
    return upload(name, **({"evidence": evidence()} | changes))


def signed(request: pb.SubmitVisitRequest, key: Ed25519PrivateKey) -> pb.SubmitVisitRequest:
    """The request, signed as an outsider would: by the README, with `cryptography` alone."""

    def leg(one: types.Signals) -> dict[str, object]:
        return {
            "latitude_microdegrees": one.place.latitude_microdegrees,
            "longitude_microdegrees": one.place.longitude_microdegrees,
            "accuracy_m": one.accuracy_m,
            "mocked": one.mocked,
            "device_time": one.device_time,
            "beacon": one.beacon,
            "tag": one.tag,
            "photos": [
                {"sha256": p.sha256.hex(), "perceptual_hash": f"{p.perceptual_hash:016x}"}
                for p in one.photos
            ],
            "face": ("", "matched", "not_matched", "unknown")[one.face],
            "family_code": one.family_code,
        }

    statement = {
        "statement": "ltci.capture/1",
        "phase": "whole",
        "whose": CARED_FOR.identity_number,
        "caregiver": CARER.identity_number,
        "start_time": request.start_time,
        "end_time": request.end_time,
        "items": list(request.items),
        "device": request.evidence.device,
        "offline": request.evidence.offline,
        "start": leg(request.evidence.start),
    }
    if request.evidence.HasField("end"):
        statement["end"] = leg(request.evidence.end)
    text = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    request.evidence.signature = key.sign(text.encode())
    return request
