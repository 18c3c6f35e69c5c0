"""The order of the steps of a procedure. Pure: no clock, no I/O."""

from datetime import date

from kernel.refusal import Invalid, Violation


def not_before(field: str, day: date, earliest: date) -> None:
    """A step of the procedure is not of a day before the step it follows."""
    if day < earliest:
        raise Invalid(
            [
                Violation(
                    field,
                    "TOO_EARLY",
                    f"must not be before {earliest}, the day of the step before",
                    f"不得早于上一环节的日期{earliest}",
                )
            ]
        )
