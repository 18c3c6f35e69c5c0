"""The designated providers of a pool, by the code on their papers."""

from ltci.provider.v1 import provider_service_pb2 as provider

from cli.connect import Connection

PAGE = 1_000


async def providers(connection: Connection, pool: str) -> dict[str, str]:
    """A pool's providers by social credit code."""
    found: dict[str, str] = {}
    token = ""
    while True:
        page = await connection.provider.ListProviders(
            provider.ListProvidersRequest(pool=pool, page_size=PAGE, page_token=token)
        )
        found |= {one.social_credit_code: one.provider for one in page.providers}
        token = page.next_page_token
        if not token:
            return found
