"""Answers about dues, accounts, employers and years on the wire. It translates and nothing else."""

from collections.abc import Sequence
from uuid import UUID

from ltci.enrollment.v1 import contribution_service_pb2 as pb
from ltci.enrollment.v1 import contribution_types_pb2 as contribution_types
from ltci.enrollment.v1 import enrollment_types_pb2 as types

from kernel.refusal import Refused
from services.enrollment.account_tables import PoolLine
from services.enrollment.domain.account import (
    Account,
    AccountLine,
    ContributionDue,
    ContributionRefunded,
)
from services.enrollment.domain.contribution_year import Collection, Deadline
from services.enrollment.domain.employer import EmployerRegistered, StaffDeclared
from services.enrollment.domain.spells import InsuredGroup


def source_on_wire(source: str) -> "types.ContributionSource.ValueType":
    return types.ContributionSource.Value(f"CONTRIBUTION_SOURCE_{source.upper()}")


def group_on_wire(group: InsuredGroup) -> "types.InsuredGroup.ValueType":
    return types.InsuredGroup.Value(f"INSURED_GROUP_{group.upper()}")


def due(told: ContributionDue, *, with_ruling: bool) -> pb.Due:
    """A determination; without its ruling in lists."""
    return pb.Due(
        due=str(told.due),
        person=str(told.person),
        pool=told.pool,
        group=group_on_wire(told.group),
        year=told.year,
        month=told.month,
        employer=str(told.employer or ""),
        shares=[
            contribution_types.DueShare(
                source=source_on_wire(share.source), amount_fen=share.amount.fen
            )
            for share in told.shares
        ],
        due_date=str(told.due_date or ""),
        ruling=told.ruling if with_ruling else b"",
    )


def not_determined(person: UUID, refused: Refused) -> pb.NotDetermined:
    about = refused.facts.get("key") or refused.facts.get("base") or ""
    return pb.NotDetermined(person=str(person), reason=refused.reason, about=about)


def account(person: UUID, pool: str, year: int, told: Account, arrears_fen: int) -> pb.Account:
    newest = told.newest
    return pb.Account(
        person=str(person),
        pool=pool,
        year=year,
        lines=[_line(line) for line in told.lines()],
        arrears_fen=arrears_fen,
        due_date=str(newest.due_date or "") if newest else "",
    )


def _line(line: AccountLine) -> pb.AccountLine:
    return pb.AccountLine(
        source=source_on_wire(line.source),
        due_fen=line.due.fen,
        paid_fen=line.paid.fen,
        refunded_fen=line.refunded.fen,
        balance_fen=line.balance.fen,
        state=contribution_types.AccountState.Value(f"ACCOUNT_STATE_{line.state.upper()}"),
    )


def pool_line(line: PoolLine) -> pb.PoolAccountLine:
    return pb.PoolAccountLine(
        group=group_on_wire(line.group),
        source=source_on_wire(line.source),
        person_count=line.persons,
        due_fen=line.due.fen,
        paid_fen=line.paid.fen,
        owed_fen=line.owed.fen,
        surplus_fen=line.surplus.fen,
    )


def refund(told: ContributionRefunded) -> pb.Refund:
    return pb.Refund(
        refund=str(told.refund),
        person=str(told.person),
        pool=told.pool,
        year=told.year,
        source=source_on_wire(told.source),
        amount_fen=told.amount.fen,
        cause=contribution_types.RefundCause.Value(f"REFUND_CAUSE_{told.cause.upper()}"),
        refunded_date=told.refunded_date.isoformat(),
    )


def employer(told: EmployerRegistered) -> pb.Employer:
    return pb.Employer(
        employer=str(told.employer),
        employer_name=told.employer_name,
        social_credit_code=told.social_credit_code,
        pool=told.pool,
        registered_date=told.registered_date.isoformat(),
    )


def staff(told: StaffDeclared) -> pb.Staff:
    return pb.Staff(employer=str(told.employer), person=str(told.person), month=str(told.month))


def contribution_year(
    pool: str, year: int, told: Collection, deadlines: Sequence[Deadline], *, suspends: bool
) -> pb.ContributionYear:
    return pb.ContributionYear(
        pool=pool,
        year=year,
        opened_date=str(told.opened or ""),
        deadlines=[
            pb.Deadline(
                due_date=one.due_date.isoformat(),
                reminder_date=str(one.reminder_date or ""),
                groups=[group_on_wire(group) for group in one.groups],
            )
            for one in deadlines
        ],
        arrears_suspend=suspends,
    )
