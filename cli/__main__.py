"""`ltci`: the stack, data in, cases, settlements, funds, and decisions made again."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli import (
    appeal,
    appeals,
    claims,
    clock,
    clocks,
    draw,
    dues_command,
    exceptions,
    imports,
    inspections,
    rules,
    service_items,
    transfers,
)
from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.detect import detect
from cli.evidence import evidence
from cli.letters.commands import letter, letters
from cli.match import match
from cli.output import BAD_INPUT, FAILED, Failure, JsonOption, LangOption, Output, money
from cli.remaining import remaining
from cli.report.command import app as report_app
from cli.running import with_stack as _with_stack
from cli.traced import traced
from cli.two_times import AsOfOption, KnownAtOption, day, two_times
from cli.watch import quality, watch

app = typer.Typer(
    name="ltci",
    help="Long-term care insurance 长期护理保险: every decision can be replayed and audited.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(imports.app, name="import")
app.add_typer(rules.app, name="rules")
app.add_typer(transfers.app, name="transfer")
app.add_typer(draw.app, name="draw")
app.add_typer(report_app, name="report")
app.command("dues")(dues_command.dues)
app.add_typer(appeal.app, name="appeal")
app.command()(clocks.clocks)
app.command()(exceptions.exceptions)
app.add_typer(clock.app, name="clock")
app.command()(appeals.appeals)
app.command()(inspections.inspections)
app.command()(inspections.inspection)
app.add_typer(service_items.app, name="catalogue")
app.command()(match)
app.command()(watch)
app.command()(quality)
app.command()(remaining)
app.command()(evidence)
app.command()(claims.claims)
app.command()(detect)

PoolArgument = Annotated[
    str, typer.Argument(help="Pooling area, GB/T 2260: 320400", metavar="POOL")
]


@app.command()
def up(
    data: DataOption = DEFAULT_DATA,
    speed: Annotated[
        float, typer.Option(help="Business days run so many times faster; only for new data.")
    ] = 1.0,
    begins: Annotated[
        str, typer.Option(help="First business day of new data, 2024-01-02; needs --speed.")
    ] = "",
    lang: LangOption = None,
) -> None:
    """Starts the embedded stack and stays; data is kept, Ctrl-C stops all. 启动整套系统"""
    from cli.up import run_up

    output = Output.of(lang)
    with output.expected_errors():
        run_up(data, speed, begins, output)


@app.command()
def demo(
    data: DataOption = DEFAULT_DATA,
    stay: Annotated[bool, typer.Option(help="Leave the stack running at the end.")] = False,
    days_per_second: Annotated[
        float, typer.Option(help="Pace of the business clock.", min=0.1, max=30)
    ] = 6.0,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lives forty-nine people through two years on the real stack and checks every end. 演示"""
    from cli.demo.run import run_demo

    output = Output.of(lang, as_json=as_json)
    with output.expected_errors(), traced("demo"):
        good = run_demo(data, stay=stay, days_per_second=days_per_second, output=output)
    raise typer.Exit(0 if good else FAILED)


@app.command()
def case(
    person: Annotated[
        str, typer.Argument(help="The person's id, or a resident's identity number.")
    ],
    as_of: AsOfOption = "",
    known_at: KnownAtOption = "",
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """One person's story across the four services. 个案时间线"""
    from cli import case as cases
    from cli.people import person_id
    from cli.replay import feeds_of

    output = Output.of(lang, as_json=as_json)

    async def show(connection: Connection) -> None:
        times = two_times(connection.clock(), as_of, known_at)
        found = await person_id(connection, person)
        lines = await cases.timeline(feeds_of(connection), found, times)
        if not lines:
            raise Failure(
                f"nothing about this id, {times.words(output)}",
                f"没有此人的记录（{times.words(output)}）",
                where="PERSON",
                right="`ltci import persons FILE.csv` registers people",
                right_zh="可用 `ltci import persons FILE.csv` 登记参保人",
                code=BAD_INPUT,
            )
        events = [line.as_json() for line in lines]
        output.document({"person": found, **times.as_json(), "events": events})
        shown = [line for line in lines if not line.event.startswith(cases.OF_VISITS)]
        output.table(
            output.text(
                f"Case {found}: {times.words(output)}", f"个案 {found}：{times.words(output)}"
            ),
            output.columns(("known", "知悉"), ("service", "服务"), ("event", "事件"), ("", "")),
            [
                (
                    f"{line.known_at:%Y-%m-%d %H:%M}",
                    f"{line.service}:{line.position}",
                    line.event,
                    cases.said_by(line, found),
                )
                for line in shown
            ],
        )
        visits = len(lines) - len(shown)
        decisions = sum(line.decision for line in lines)
        output.show(
            f"{len(lines)} events, {decisions} decisions; {visits} starts, ends, evidence and"
            " confirmations of visits not shown (--json has them)",
            f"共 {len(lines)} 个事件、{decisions} 项裁定；"
            f"未列出 {visits} 条服务起止、佐证与确认记录（--json 可见）",
        )

    _with_stack("case", data, output, show)


@app.command()
def eligible(
    person: Annotated[
        str | None,
        typer.Argument(
            help="The person's id, or a resident's identity number.", show_default=False
        ),
    ] = None,
    pool: Annotated[
        str | None,
        typer.Argument(help="Pooling area, GB/T 2260: 320400", metavar="POOL", show_default=False),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            metavar="LIST.csv",
            help="Instead of one person all in a file; column identity_number or person. 批量查询",
            show_default=False,
        ),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="With --file: answers as CSV.")] = False,
    on: Annotated[
        str, typer.Option("--on", metavar="DAY", help="Day asked about, 2024-09-15; today if none.")
    ] = "",
    known_at: KnownAtOption = "",
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Whether a person is insured and paid up on a day; nothing is recorded. 待遇享受条件"""
    from cli import eligible as eligibility
    from cli import eligible_list
    from cli.people import person_id

    output = Output.of(lang, as_json=as_json)
    codes: list[int] = [0]
    with output.expected_errors():
        whom, where = eligible_list.one_of_two(person, pool, file)

    async def show(connection: Connection) -> None:
        clock = connection.clock()
        asked = day(on, "--on") if on else clock.today()
        times = two_times(clock, asked.isoformat(), known_at)
        if file is not None:
            answers = eligible_list.ask_all(connection, file, where, times)
            counts = await eligible_list.tell(answers, where, times, output, as_csv=as_csv)
            codes.append(eligible_list.exit_code(counts))
            return
        found = await person_id(connection, whom)
        ruling = await eligibility.ask(connection, found, where, times)
        output.document(eligibility.told(ruling, times))
        eligibility.show(ruling, times, output)

    _with_stack("eligible", data, output, show)
    raise typer.Exit(codes[-1])


@app.command()
def explain(
    decision: Annotated[
        str, typer.Argument(help="service:position, or the id of what was decided.")
    ],
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """A decision as a person reads it: why, by which clause, what would change it. 裁定说明"""
    from cli.explain.commands import run_explain

    output = Output.of(lang, as_json=as_json)

    async def show(connection: Connection) -> None:
        await run_explain(connection, decision, output)

    _with_stack("explain", data, output, show)


@app.command()
def dossier(
    case_id: Annotated[
        str,
        typer.Argument(help="The person's id, or a resident's identity number.", metavar="CASE"),
    ],
    file: Annotated[
        Path, typer.Option("-o", "--output", help="FILE.html, or FILE.zip with --runnable.")
    ],
    runnable: Annotated[
        bool, typer.Option("--runnable", help="With facts, packs and a runner, as a ZIP archive.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """A case on one page, for screen and paper; 1 where a decision or hash differs. 个案卷宗"""
    from cli.explain.commands import run_dossier
    from cli.people import person_id

    output = Output.of(lang, as_json=as_json)
    whole: list[bool] = []

    async def make(connection: Connection) -> None:
        person = await person_id(connection, case_id)
        whole.append(await run_dossier(connection, person, file, output, runnable=runnable))

    _with_stack("dossier", data, output, make)
    raise typer.Exit(0 if all(whole) else FAILED)


app.command()(letters)
app.command()(letter)


@app.command()
def settle(
    pool: PoolArgument,
    month: Annotated[str, typer.Argument(help="The month, 2024-03.", metavar="MONTH")],
    data: DataOption = DEFAULT_DATA,
    wait: Annotated[bool, typer.Option(help="Wait until it is closed.")] = True,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Settles a pool's month. Asking again shows the same settlement. 月度结算"""
    from cli import settle as settling
    from kernel.calendar import Month

    output = Output.of(lang, as_json=as_json)

    async def show(connection: Connection) -> None:
        try:
            wanted = Month.parse(month)
        except ValueError:
            raise Failure(
                f"{month!r} is no month",
                f"{month!r} 不是月份",
                where="MONTH",
                right="write it as 2024-03",
                right_zh="应写作 2024-03",
                code=BAD_INPUT,
            ) from None
        with output.err.status(output.text("settling", "结算中")):
            settlement = await settling.settle(connection, pool, wanted, wait=wait)
        told = settling.told(settlement)
        output.document(told)
        output.table(
            output.text(f"Settlement {pool} {month}", f"结算 {pool} {month}"),
            output.columns(
                ("state", "状态"),
                ("cases", "人数"),
                ("benefits", "待遇笔数"),
                ("fund pays, yuan", "基金支付（元）"),
                ("instructions", "支付指令"),
            ),
            [
                (
                    told["state"],
                    told["case_count"],
                    told["benefit_count"],
                    money(told["fund_share_fen"]),
                    told["instruction_count"],
                )
            ],
            right=(1, 2, 3, 4),
        )

    _with_stack("settle", data, output, show)


@app.command()
def fund(
    pool: PoolArgument,
    as_of: AsOfOption = "",
    known_at: KnownAtOption = "",
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """A pool's fund: every account of its ledger, and whether it balances. 基金账"""
    from ltci.payment.v1 import payment_service_pb2

    output = Output.of(lang, as_json=as_json)

    async def show(connection: Connection) -> None:
        times = two_times(connection.clock(), as_of, known_at)
        found = await connection.payment.GetFund(
            payment_service_pb2.GetFundRequest(
                pool=pool, as_of_date=times.as_of_date, known_at_time=times.known_at_time
            )
        )
        output.document(
            {
                "pool": pool,
                **times.as_json(),
                "balanced": found.balanced,
                "cash_fen": found.cash_fen,
                "payable_fen": found.payable_fen,
                "entry_count": found.entry_count,
                "accounts": [
                    {"account": b.account, "debit_fen": b.debit_fen, "credit_fen": b.credit_fen}
                    for b in found.balances
                ],
            }
        )
        output.table(
            output.text(
                f"Fund {pool}: {times.words(output)}", f"基金 {pool}：{times.words(output)}"
            ),
            output.columns(
                ("account", "科目"), ("debit", "借方"), ("credit", "贷方"), ("balance", "余额")
            ),
            [
                (
                    b.account,
                    money(b.debit_fen),
                    money(b.credit_fen),
                    money(b.debit_fen - b.credit_fen),
                )
                for b in found.balances
            ],
            right=(1, 2, 3),
        )
        output.show(
            f"{found.entry_count} entries; debits and credits"
            f" {'are equal' if found.balanced else 'DIFFER'}",
            f"共 {found.entry_count} 笔分录；借贷{'平衡' if found.balanced else '不平衡'}",
        )

    _with_stack("fund", data, output, show)


@app.command()
def replay(
    case_id: Annotated[
        str, typer.Option("--case", help="Only this person's decisions: id or identity number.")
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="All decisions of all services.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a replay of all was ended before.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Makes recorded decisions again and compares the bytes. 重算全部裁定"""
    from cli import replay as replays
    from cli.people import person_id

    output = Output.of(lang, as_json=as_json)
    found: list[replays.Report] = []

    def told(resumed: replays.Resumed) -> None:
        if resumed.differs:
            output.say("the logs are others than before: all anew", "日志与上次不同：全部重算")
        elif resumed.asked and not resumed.found:
            output.say("nothing to resume: from the beginning", "没有可续算的进度：从头重算")

    async def run(connection: Connection) -> None:
        if bool(case_id) == everything or (resume and not everything):
            raise Failure(
                "say which decisions: --case ID or --all; --resume goes with --all",
                "请指明范围：--case ID 或 --all；--resume 仅用于 --all",
                code=BAD_INPUT,
            )
        with _progress(output) as bar:
            task = bar.add_task(output.text("replaying", "重算中"), total=None)

            def seen(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            if everything:
                found.append(
                    await replays.replay_everything(
                        connection.settings,
                        data if data.is_dir() else None,
                        resume=resume,
                        progress=seen,
                        told=told,
                    )
                )
            else:
                person = await person_id(connection, case_id)
                found.append(await replays.replay_case(replays.feeds_of(connection), person, seen))
        _show_replay(output, found[0])

    _with_stack("replay", data, output, run)
    raise typer.Exit(FAILED if found[0].differences else 0)


@app.command()
def whatif(
    pack: Annotated[
        Path, typer.Option("--pack", help="Folder of the draft pack.", file_okay=False)
    ],
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="First day: 2024-01-01.")],
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="Last day, in.")],
    pool: Annotated[str, typer.Option(help="Pooling area; else the pack's own.")] = "",
    page: Annotated[
        Path | None, typer.Option("-o", "--output", help="HTML page.", dir_okay=False)
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--csv", help="A line a person and month.", dir_okay=False)
    ] = None,
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who gains and who loses under a draft pack; nothing is recorded. 政策测算"""
    from cli.whatif import command as whatifs
    from cli.whatif.page import Subject

    output = Output.of(lang, as_json=as_json)
    good: list[bool] = []

    async def run(connection: Connection) -> None:
        draft = whatifs.draft_pack(pack, pool)
        subject = Subject(draft=draft, within=whatifs.days(first, last), lang=output.lang)
        with _progress(output) as bar:
            task = bar.add_task(output.text("computing", "测算中"), total=None)

            def seen(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            found = await whatifs.compared(connection.settings, draft, subject.within, seen)
        if page is not None:
            whatifs.write_page(page, subject, found)
        if table is not None:
            whatifs.write_csv(table, found)
        output.document(whatifs.document(subject, found))
        whatifs.show(output, subject, found)
        good.append(found.zero.good)

    _with_stack("whatif", data, output, run)
    raise typer.Exit(0 if good[0] else FAILED)


def _show_replay(output: Output, report: Any) -> None:
    output.document(report.as_json())
    output.table(
        output.text("Decisions made again", "重算的裁定"),
        [output.text("decision", "裁定"), output.text("count", "数量")],
        [*sorted(report.decisions.items()), (output.text("all", "合计"), report.count)],
        right=(1,),
    )
    if report.differences:
        output.table(
            output.text("Differences", "差异"),
            output.columns(
                ("decision", "裁定"),
                ("what", "差异"),
                ("input", "输入"),
                ("recorded", "原值"),
                ("found", "现值"),
            ),
            [
                (
                    f"{d.service}:{d.position} {d.decision.rpartition('.')[2]}",
                    d.what,
                    d.where,
                    d.recorded[:40],
                    d.found[:40],
                )
                for d in report.differences
            ],
        )
    output.show(
        f"{report.count} decisions replayed, {len(report.differences)} differences",
        f"重算 {report.count} 项裁定，{len(report.differences)} 处差异",
    )


def _progress(output: Output) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=output.err,
        disable=not output.interactive,
        transient=True,
    )


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def main() -> None:
    """The entry point of the `ltci` program."""
    app()


if __name__ == "__main__":
    main()
