"""Designations, agreements, standings and caregivers' records as the messages that callers get."""

from datetime import date
from enum import StrEnum
from typing import Any

from ltci.provider.v1 import caregiver_service_pb2 as carers
from ltci.provider.v1 import designation_service_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types
from ltci.provider.v1 import sanction_service_pb2 as sanctions

from services.provider.domain.agreement import next_appraisal
from services.provider.domain.caregiver import Caregiver
from services.provider.domain.carer_record import Bar
from services.provider.domain.designation import Designation
from services.provider.domain.matching import Match
from services.provider.domain.provider import Provider
from services.provider.domain.standing import AgreementSigned, Sanction
from services.provider.wire import day_text


def designation_answer(designation: Designation) -> pb.Designation:
    """The application as far as it has come; it was made before."""
    applied, reviewed, published = (
        designation.applied,
        designation.reviewed,
        designation.published,
    )
    if applied is None:
        raise ValueError("only an application that was made has an answer")
    return pb.Designation(
        application=str(applied.application),
        provider=str(applied.provider),
        pool=applied.pool,
        state=_number(pb.DesignationState, "DESIGNATION_STATE_", designation.state),
        reasons=reviewed.reasons if reviewed else (),
        publicity_end_date=day_text(published.publicity_end_date if published else None),
    )


def agreement_answer(provider: Provider, signed: AgreementSigned) -> pb.Agreement:
    """A signed agreement of the provider, with what is still to come of it."""
    term = next(t for t in provider.standing.terms if t.agreement == signed.agreement)
    year, due = next_appraisal(signed.agreement, provider) or (0, None)
    return pb.Agreement(
        agreement=str(signed.agreement),
        provider=str(signed.provider),
        pool=signed.pool,
        operator_name=signed.operator_name,
        operator_code=signed.operator_code,
        lines=[_number(types.ServiceLine, "SERVICE_LINE_", line) for line in signed.lines],
        start_date=signed.start_date.isoformat(),
        end_date=signed.end_date.isoformat(),
        last_served_date=term.last_served.isoformat(),
        appraisal_year=year,
        appraisal_due_date=day_text(due),
        ended=signed.agreement in provider.ended,
    )


def standing_answer(provider: Provider, day: date) -> pb.Standing:
    """How the provider, admitted before, stands on the day."""
    admitted, standing = provider.admitted, provider.standing
    if admitted is None:
        raise ValueError("only an admitted provider has a standing")
    reason = provider.problem_on(day)
    return pb.Standing(
        provider=str(admitted.provider),
        pool=admitted.pool,
        on_date=day.isoformat(),
        serves=not reason,
        reason=reason,
        agreements=[agreement_answer(provider, signed) for signed in provider.agreements],
        sanctions=map(_sanction, standing.sanctions),
        exit_date=day_text(standing.exit.exit_date if standing.exit else None),
    )


def bar_answer(bar: Bar) -> sanctions.Bar:
    """A bar on a person."""
    return sanctions.Bar(
        bar=str(bar.barred.bar),
        person=str(bar.barred.person),
        start_date=bar.barred.start_date.isoformat(),
        end_date=bar.barred.end_date.isoformat(),
        restored_date=day_text(bar.restored),
    )


def record_answer(caregiver: str, state: Caregiver, today: date) -> carers.CaregiverRecord:
    """A caregiver's record; the name and the certificate's number stay at home."""
    record = state.record
    return carers.CaregiverRecord(
        caregiver=caregiver,
        certificates=[
            carers.Certificate(
                level=_number(types.CaregiverLevel, "CAREGIVER_LEVEL_", one.level),
                start_date=one.start.isoformat(),
                revoked_date=day_text(one.revoked),
            )
            for one in record.certificates
        ],
        trained_minutes=record.trained_minutes(today),
        skills=record.profile.skills if record.profile else (),
        minutes_a_week=record.profile.minutes_a_week if record.profile else 0,
        assigned_minutes=sum(one.minutes_a_week for one in record.assigned),
        barred=record.barred_on(today),
        family_of=sorted({str(one.person) for one in record.family}),
    )


def match_answer(match: Match) -> carers.PlanMatch:
    """Who can take a plan."""
    return carers.PlanMatch(
        plan=str(match.plan),
        candidates=[
            carers.Candidate(
                caregiver=str(one.caregiver),
                skills_missing_count=one.skills_missing,
                level=_number(types.CaregiverLevel, "CAREGIVER_LEVEL_", one.level)
                if one.level
                else types.CAREGIVER_LEVEL_UNSPECIFIED,
                distance_m=one.distance_m,
                load_permille=one.load_permille,
            )
            for one in match.candidates
        ],
        left_out=[carers.LeftOut(caregiver=str(name), reason=why) for name, why in match.left_out],
    )


def _sanction(sanction: Sanction) -> pb.Sanction:
    told = sanction.imposed
    return pb.Sanction(
        sanction=str(told.sanction),
        measure=_number(types.SanctionMeasure, "SANCTION_MEASURE_", told.measure),
        start_date=told.start_date.isoformat(),
        end_date=day_text(told.end_date),
        cause=told.cause,
        article=told.article,
        lifted_date=day_text(sanction.lifted),
    )


def _number(wire: Any, prefix: str, value: StrEnum) -> Any:
    """The proto enum's number of a domain value."""
    return wire.Value(prefix + value.upper())
