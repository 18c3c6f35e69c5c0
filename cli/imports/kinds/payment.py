"""Files for payment and the bank of demo and tests: payees, transfers, accounts (待遇支付)."""

from ltci.bank.v1 import bank_service_pb2 as bank
from ltci.payment.v1 import payment_service_pb2 as payment

from cli.imports import cells
from cli.imports.kinds.kind import POOL, Kind, Single, Values, at_once, column, on_day
from kernel.rpc.validate import Check


def _one_payee(check: Check, values: Values) -> None:
    if ("identity_number" in values) == ("social_credit_code" in values):
        check.fail(
            "identity_number",
            "ONE_OF_TWO",
            "either the identity number or the social credit code must be given",
            "身份证号与统一社会信用代码应填且仅填一项",
        )


PAYEES = Kind(
    name="payees",
    title="accounts of those who are paid",
    title_zh="收款账户",
    columns=(
        column("identity_number", cells.identity_number, required=False, personal=True),
        column("social_credit_code", cells.credit_code, required=False),
        column("holder_name", cells.text(), personal=True),
        column("account_number", cells.text(40), personal=True),
        column("registered_date", cells.day, past=True),
    ),
    delivery=Single(
        lane=("identity_number", "social_credit_code"),
        steps=on_day(
            "payment",
            "RegisterPayee",
            lambda v, request_id: payment.RegisterPayeeRequest(
                identity_number=v.get("identity_number", ""),
                social_credit_code=v.get("social_credit_code", ""),
                holder_name=v["holder_name"],
                account_number=v["account_number"],
                registered_date=str(v["registered_date"]),
                request_id=request_id,
            ),
            "registered_date",
        ),
    ),
    renamed={"payee": "identity_number"},
    also=_one_payee,
)

TRANSFERS = Kind(
    name="transfers",
    title="money the treasury puts into a fund",
    title_zh="财政专户拨入",
    columns=(
        POOL,
        column("amount_yuan", cells.yuan(1)),
        column("date", cells.day, past=True),
        column("cause", cells.text()),
    ),
    delivery=Single(
        lane=("pool",),
        steps=on_day(
            "payment",
            "RecordTransfer",
            lambda v, request_id: payment.RecordTransferRequest(
                pool=v["pool"],
                amount_fen=v["amount_yuan"],
                transfer_date=str(v["date"]),
                cause=v["cause"],
                request_id=request_id,
            ),
            "date",
        ),
    ),
    renamed={"amount_fen": "amount_yuan", "transfer_date": "date"},
)

BANK_ACCOUNTS = Kind(
    name="bank-accounts",
    title="how the bank of demo and tests treats accounts",
    title_zh="演示银行的账户行为",
    columns=(
        column("account_number", cells.text(64), personal=True),
        column("behaviour", cells.word(bank.Behaviour, "BEHAVIOUR_")),
    ),
    delivery=Single(
        lane=("account_number",),
        steps=at_once(
            "bank",
            "SetAccountBehaviour",
            lambda v, request_id: bank.SetAccountBehaviourRequest(
                account_number=v["account_number"],
                behaviour=v["behaviour"],
                request_id=request_id,
            ),
        ),
    ),
)
