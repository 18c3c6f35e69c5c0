"""Finds people by what an officer has in hand: the person's id, or a resident's identity number."""

from uuid import UUID

import grpc
from ltci.enrollment.v1 import enrollment_types_pb2 as types
from ltci.enrollment.v1 import person_service_pb2 as pb

from cli.connect import Connection
from cli.output import BAD_INPUT, Failure
from kernel.eventstore.keys import KeyRing
from kernel.identity_numbers import identity_fault


async def person_id(connection: Connection, told: str) -> str:
    """The person's id. An identity number is turned into it with the lookup key of this stack."""
    try:
        return str(UUID(told))
    except ValueError:
        pass
    if identity_fault(told) is not None:
        raise Failure(
            "this is neither a person's id (a UUID) nor a valid identity number",
            "既不是人员编号（UUID），也不是有效的公民身份号码",
            where="PERSON",
            code=BAD_INPUT,
        )
    asked = pb.GetPersonByIdentityRequest(
        identity_kind=types.IDENTITY_KIND_RESIDENT, identity_number=told
    )
    try:
        # The number may be a paper that was added to somebody registered with another one.
        return (await connection.persons.GetPersonByIdentity(asked)).person
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
    (only,) = await person_ids(connection, [told])
    return only


async def person_ids(connection: Connection, numbers: list[str]) -> list[str]:
    """The ids of residents, in the same order."""
    settings = connection.settings
    keys = await KeyRing.open(settings.keys_database_url, settings.master_key_file)
    try:
        return [str(keys.person_id("resident", number)) for number in numbers]
    finally:
        await keys.close()
