"""Numbers of identity papers, checked as far as each kind of paper allows (证件号码)."""

import datetime as dt
import re

from kernel.rpc.validate import Check
from services.enrollment.domain.identity import PREFIXES, WITH_BIRTH_DATE, IdentityKind

# Three letters and twelve digits until 2023, then eighteen characters that begin with 9.
_FOREIGN_PERMANENT = re.compile(r"[A-Z]{3}[0-9]{12}|9[0-9]{16}[0-9X]")


def identity_number(
    check: Check, kind: IdentityKind, number: str, field: str, today: dt.date
) -> str:
    """The number in its one spelling; violations go to the check."""
    if kind not in WITH_BIRTH_DATE:
        told = check.text(field, number, max=40).upper()
        if (
            kind is IdentityKind.FOREIGN_PERMANENT
            and told
            and not _FOREIGN_PERMANENT.fullmatch(told)
        ):
            check.fail(
                field,
                "WRONG_FORM",
                "must be 18 characters beginning with 9, or three letters and twelve digits",
                "应为以9开头的18位号码,或3位字母加12位数字",
            )
        return told
    told = check.identity_number(field, number, today=today)
    prefix = PREFIXES.get(kind, "")
    if told and not told.startswith(prefix):
        check.fail(
            field,
            "WRONG_PREFIX",
            f"must begin with {prefix}, as permits of this kind do",
            f"该类证件号码应以{prefix}开头",
        )
    return told
