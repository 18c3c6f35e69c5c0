"""An appeal from its filing to the entitlement, through the services and `ltci appeal preview`."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from ltci.assessment.v1 import appeal_service_pb2 as pb
from ltci.assessment.v1 import appeal_service_pb2_grpc as pb_grpc
from ltci.assessment.v1 import dispute_types_pb2 as types
from ltci.payment.v1 import payment_service_pb2 as payment
from ltci.payment.v1 import payment_types_pb2 as payment_types
from rich.console import Console

from cli import appeal, case
from cli.output import Language, Output
from cli.replay import SERVICES
from tests.explain.town import Town, once, town
from tests.support.packs import CHANGZHOU


@pytest.fixture
async def living(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with town(database_url, tmp_path) as living:
        yield living


async def test_a_panel_sees_the_table_and_its_decision_comes_out_as_shown(living: Town) -> None:
    connection = living.connection
    desk: Any = pb_grpc.AppealServiceStub(connection.channel("assessment"))
    filed = await desk.FileAppeal(
        pb.FileAppealRequest(
            application=living.ids["application"],
            against=types.APPEAL_AGAINST_CONCLUSION,
            statement="评估时状态较好",
            filed_date="2024-08-01",
            request_id=once("appeal"),
        )
    )

    effect = await appeal.ask(connection, filed.appeal, 1, "2024-04-01")

    document: Any = appeal.document(effect)
    april = document["months"][0]
    assert (april["month"], april["settled"], april["known_grade"]) == ("2024-04", True, 3)
    assert april["would_be_fen"] == 0
    assert april["difference_fen"] == -april["determined_fen"] < 0
    assert document["as_would_be"][0]["cause"] == "RECOVERED"
    text = io.StringIO()
    screen = Output(
        lang=Language.EN, as_json=False, out=Console(file=text, width=160), err=Console(stderr=True)
    )
    appeal.show(effect, 1, "2024-04-01", screen)
    assert "Grade 1 from 2024-04-01" in text.getvalue()
    assert f"preview digest {effect.digest}" in text.getvalue()
    screen = Output(
        lang=Language.ZH, as_json=False, out=Console(file=text, width=160), err=Console(stderr=True)
    )
    appeal.show(effect, 1, "2024-04-01", screen)
    assert "差额合计" in text.getvalue()

    await desk.DecideAppeal(
        pb.DecideAppealRequest(
            appeal=filed.appeal,
            outcome=types.APPEAL_OUTCOME_UPHELD,
            grade=1,
            effective_date="2024-04-01",
            panel=["member-1", "member-2"],
            decided_date="2024-08-01",
            preview_digest=effect.digest,
            reasoning="复核后认定",
            request_id=once("decide"),
        )
    )
    feeds = {service: connection.feed(service) for service in SERVICES}
    lines = await case.timeline(feeds, living.person)
    [decided] = [line for line in lines if line.event == "AppealDecided"]
    assert decided.decision
    assert "outcome appeal_outcome_upheld" in case.sentence(decided.says)
    assert "reasoning" not in decided.says
    position = max(line.position for line in lines if line.service == "assessment")
    told = await connection.payment.ReviewEntitlement(
        payment.ReviewEntitlementRequest(
            person=living.person,
            pool=CHANGZHOU,
            known=[payment_types.KnownUpTo(service="assessment", position=position)],
            request_id=once("after"),
        )
    )
    assert told.cause == "RECOVERED"
    listed = await connection.payment.ListBenefits(payment.ListBenefitsRequest(pool=CHANGZHOU))
    assert listed.benefits[0].fund_share_fen == april["determined_fen"]
