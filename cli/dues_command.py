"""`ltci dues POOL YEAR`: the command; what it shows stands in `cli.dues` (应缴与欠费)."""

import asyncio
from typing import Annotated

import typer

from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.output import JsonOption, LangOption, Output
from cli.traced import traced


def dues(
    pool: Annotated[str, typer.Argument(help="Pooling area, GB/T 2260: 320400", metavar="POOL")],
    year: Annotated[int, typer.Argument(help="Year that is insured, 2024.", metavar="YEAR")],
    person: Annotated[
        str, typer.Option("--person", help="One account: the person's id or identity number.")
    ] = "",
    determine: Annotated[
        bool, typer.Option("--determine", help="First determine what everybody of the pool owes.")
    ] = False,
    open_year: Annotated[
        bool, typer.Option("--open", help="Open the collection: reminders and consequences.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Due, paid and owed contributions of a pool's year, by group and source. 应缴与欠费"""
    from cli import dues as contributions
    from cli.people import person_id

    output = Output.of(lang, as_json=as_json)

    async def show(connection: Connection) -> None:
        if open_year:
            await contributions.open_year(connection, pool, year)
        if determine:
            with output.err.status(output.text("determining", "核定中")) as status:
                done = await contributions.determine(
                    connection,
                    pool,
                    year,
                    lambda count: status.update(
                        output.text(f"determining, {count} people", f"核定中，{count}人")
                    ),
                )
            contributions.show_determined(done, output)
        if person:
            found = await person_id(connection, person)
            account = await contributions.account(connection, found, pool, year)
            output.document(contributions.told_person(account))
            contributions.show_person(account, output)
            return
        whole = await contributions.pool_account(connection, pool, year)
        output.document(contributions.told_pool(pool, year, whole))
        contributions.show_pool(pool, year, whole, output)

    async def run() -> None:
        async with Connection.to_stack(data) as connection:
            await show(connection)

    with output.expected_errors(), traced("dues"):
        asyncio.run(run())
