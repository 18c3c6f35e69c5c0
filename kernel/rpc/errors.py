"""What callers are told when a call does not succeed, and how they read it.

On the server every exception becomes a `google.rpc.Status` with an `ErrorInfo`: a stable
reason, the domain `<service>.ltci`, and facts. Bad input lists every field. A fault of ours
tells the caller a trace id and nothing else; its traceback goes to the log. On the client
`explain()` turns the error into a `Problem` with a text for people, in English or Chinese.
"""

import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import asyncpg
import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from kernel import telemetry
from kernel.eventstore.errors import (
    HistoryDiffers,
    StoreOverloaded,
    StoreUnavailable,
    VersionConflict,
)
from kernel.refusal import Invalid, NotFound, Refused, RequestReused, Violation
from kernel.rpc.around import Around, Arrived, Context
from kernel.rpc.deadlines import DeadlinePassed, ServerStops
from kernel.rpc.malformed import MalformedRequest
from kernel.telemetry import masked

DETAILS_KEY = "grpc-status-details-bin"
# A status travels in headers, and common clients take 8 KB of those.
LONGEST_TEXT = 500  # characters
LONGEST_FACT = 200
VIOLATIONS_BYTES = 3000
_log = logging.getLogger(__name__)
_AWAY = (
    ServerStops,
    StoreUnavailable,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    ConnectionError,
    TimeoutError,
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an exception means to the caller, before it is put on the wire."""

    code: int
    reason: str
    message: str
    message_zh: str
    facts: Mapping[str, str]
    violations: tuple[Violation, ...] = ()
    retry_seconds: float | None = None


class ErrorInterceptor(Around):
    """Turns whatever a handler raises into a status; nothing of ours leaks."""

    def __init__(self, service_name: str) -> None:
        self._domain = f"{service_name}.ltci"

    @asynccontextmanager
    async def around(self, call: Arrived, context: Context) -> AsyncIterator[None]:
        try:
            yield
        except (grpc.aio.AbortError, grpc.aio.UsageError):
            raise  # the handler has spoken to grpc itself
        except Exception as error:  # noqa: BLE001 - the last line before the caller
            outcome = outcome_of(error)
            if outcome.code == code_pb2.INTERNAL:
                _log.exception("call failed", extra={"facts": {"method": call.method}})
            status = status_of(outcome, self._domain)
            await context.abort_with_status(rpc_status.to_status(status))


def outcome_of(error: Exception) -> Outcome:  # noqa: C901 - one table, one line a kind
    """The meaning of an exception: most specific kinds first."""
    match error:
        case Refused():
            return _refused(error.reason, error.facts)
        case Invalid():
            return _invalid(error.violations)
        case MalformedRequest():
            return _invalid((error.violation,))
        case NotFound():
            return _not_found(error)
        case RequestReused():
            return _outcome(
                code_pb2.ALREADY_EXISTS,
                "REQUEST_ID_REUSED",
                "this request id was used before for a request of other content",
                "该请求编号已用于内容不同的请求",
            )
        case HistoryDiffers():
            return _outcome(
                code_pb2.FAILED_PRECONDITION,
                "HISTORY_DIFFERS",
                "the cursor belongs to another history of this log; read again from the start",
                "游标属于另一份历史记录,请从头重新读取",
            )
        case VersionConflict():
            return _outcome(
                code_pb2.ABORTED,
                "VERSION_CONFLICT",
                "somebody else changed the same case at the same moment; try again",
                "同一事项正被他人同时修改,请重试",
                retry=0.1,
            )
        case StoreOverloaded():
            return _outcome(
                code_pb2.RESOURCE_EXHAUSTED,
                "OVERLOADED",
                "too many requests wait at this moment; try again later",
                "当前等待的请求过多,请稍后重试",
                retry=1.0,
            )
        case DeadlinePassed():
            return _outcome(
                code_pb2.DEADLINE_EXCEEDED,
                "DEADLINE_EXCEEDED",
                "the call took too long; repeat it with the same request id",
                "处理超时,请用同一请求编号重试",
            )
        case _ if _is_away(error):
            return _outcome(
                code_pb2.UNAVAILABLE,
                "UNAVAILABLE",
                "the service cannot reach what it depends on; try again with the same request id",
                "服务所依赖的系统暂不可用,请稍后用同一请求编号重试",
                retry=1.0,
            )
        case _:
            return _internal()


def status_of(outcome: Outcome, domain: str) -> status_pb2.Status:
    """The outcome on the wire: `ErrorInfo` first, then what applies of the other details."""
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=outcome.reason, domain=domain, metadata=outcome.facts)
    ]
    if outcome.violations:
        details.append(_bad_request(outcome.violations))
    if outcome.retry_seconds is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(int(outcome.retry_seconds * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    details.append(error_details_pb2.LocalizedMessage(locale="zh-CN", message=outcome.message_zh))
    return status_pb2.Status(
        code=outcome.code, message=outcome.message, details=[_packed(d) for d in details]
    )


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A failed call, as its caller can act on it."""

    code: str  # grpc's word: "FAILED_PRECONDITION"
    reason: str  # ours: "BILL_NOT_SUBMITTED"; empty where the failure is not of our making
    domain: str  # "payment.ltci"
    metadata: Mapping[str, str]
    violations: tuple[Violation, ...]
    message: str
    message_zh: str
    retry_after: float | None  # seconds; None where trying again does not help

    @property
    def is_refusal(self) -> bool:
        """Whether the service has answered: the same request will get the same answer."""
        return self.code in {
            "FAILED_PRECONDITION",
            "INVALID_ARGUMENT",
            "NOT_FOUND",
            "ALREADY_EXISTS",
            "PERMISSION_DENIED",
            "OUT_OF_RANGE",
        }

    def text(self, lang: Literal["en", "zh"] = "en") -> str:
        """Words for people: the message, or one line a field where the input is wrong."""
        if lang == "zh":
            head = self.message_zh or self.message
            lines = [f"{v.field}：{v.message_zh or v.message}" for v in self.violations]
        else:
            head = self.message
            lines = [f"{v.field}: {v.message}" for v in self.violations]
        return "\n".join(lines or [head])


def explain(error: grpc.RpcError) -> Problem:
    """Reads an error of grpc, ours or not (a dead server, a network)."""
    code, message, details = _wire_parts(error)
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    local = error_details_pb2.LocalizedMessage()
    for detail in details:
        for known in (info, bad, retry, local):
            detail.Unpack(known)  # does nothing where the type is another
    return Problem(
        code=code,
        reason=info.reason,
        domain=info.domain,
        metadata=dict(info.metadata),
        violations=tuple(
            Violation(v.field, v.reason, v.description, v.localized_message.message)
            for v in bad.field_violations
        ),
        message=message,
        message_zh=local.message,
        retry_after=retry.retry_delay.ToTimedelta().total_seconds()
        if retry.HasField("retry_delay")
        else None,
    )


def _wire_parts(error: grpc.RpcError) -> tuple[str, str, list[any_pb2.Any]]:
    if not isinstance(error, grpc.aio.AioRpcError):
        return "UNKNOWN", str(error), []
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            status = status_pb2.Status.FromString(value)
            return error.code().name, status.message, list(status.details)
    return error.code().name, error.details() or "", []


def _refused(reason: str, facts: Mapping[str, str]) -> Outcome:
    told = ", ".join(f"{name}={value}" for name, value in sorted(facts.items()))
    tail = f" ({told})" if told else ""
    return _outcome(
        code_pb2.FAILED_PRECONDITION,
        reason,
        f"a rule forbids it: {reason}{tail}",
        f"按现行规则不能办理:{reason}{tail}",
        facts={name: _short(str(value), LONGEST_FACT) for name, value in facts.items()},
    )


def _invalid(violations: tuple[Violation, ...]) -> Outcome:
    first = violations[0]
    facts = {"field": first.field} if first.field else {}
    return _outcome(
        code_pb2.INVALID_ARGUMENT,
        first.reason,
        "; ".join(f"{v.field}: {v.message}" if v.field else v.message for v in violations),
        f"请求中有{len(violations)}处错误。{first.field}：{first.message_zh}",
        facts=facts | {"violations": str(len(violations))},
        violations=violations,
    )


def _not_found(error: NotFound) -> Outcome:
    kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[ -]", "_", error.kind).lower()
    name = masked(error.id)
    return _outcome(
        code_pb2.NOT_FOUND,
        f"{kind.upper()}_UNKNOWN",
        f"there is no {kind.replace('_', ' ')} {name}",
        f"没有找到:{kind} {name}",
        facts={"kind": kind, "id": name},
    )


def _internal() -> Outcome:
    trace_id = telemetry.current_trace_id()
    return _outcome(
        code_pb2.INTERNAL,
        "INTERNAL",
        f"something went wrong on our side; quote the trace id {trace_id}",
        f"系统内部出错,请向管理员提供追踪号{trace_id}",
        facts={"trace_id": trace_id},
    )


def _outcome(
    code: int,
    reason: str,
    message: str,
    message_zh: str,
    *,
    facts: Mapping[str, str] | None = None,
    violations: tuple[Violation, ...] = (),
    retry: float | None = None,
) -> Outcome:
    return Outcome(
        code=code,
        reason=reason,
        message=_short(message),
        message_zh=_short(message_zh),
        facts=facts or {},
        violations=violations,
        retry_seconds=retry,
    )


def _short(text: str, longest: int = LONGEST_TEXT) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _is_away(error: Exception) -> bool:
    """Whether the fault lies in something that is not there now and will be again."""
    if isinstance(error, grpc.aio.AioRpcError):
        return error.code() is grpc.StatusCode.UNAVAILABLE
    if isinstance(error, asyncpg.InterfaceError):
        return "clos" in str(error)  # "connection is closed", "pool is closing"
    return isinstance(error, _AWAY)


def _bad_request(violations: tuple[Violation, ...]) -> error_details_pb2.BadRequest:
    """The violations, as many as fit; `ErrorInfo` says how many there are."""
    bad = error_details_pb2.BadRequest()
    for violation in violations:
        told = error_details_pb2.BadRequest.FieldViolation(
            field=_short(violation.field, LONGEST_FACT),
            description=_short(violation.message, LONGEST_FACT),
            reason=violation.reason,
        )
        told.localized_message.locale = "zh-CN"
        told.localized_message.message = _short(violation.message_zh, LONGEST_FACT)
        if bad.field_violations and bad.ByteSize() + told.ByteSize() > VIOLATIONS_BYTES:
            break
        bad.field_violations.append(told)
    return bad


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
