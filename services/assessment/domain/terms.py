"""The days of an assessment, as the pool's pack counts them. Pure: no clock, no I/O.

Source: 医保发〔2023〕29号 and local rules; each figure of the pack names its own.
"""

from datetime import date, timedelta

from kernel.calendar import Month, add_months
from kernel.rules.pack import Pack


def supplement_due(pack: Pack, asked: date) -> date:
    """Last day to bring missing papers (补正期限)."""
    return pack.term("assessment.supplement_days", asked).after(asked)


def conclusion_due(pack: Pack, accepted: date) -> date:
    """Last day for the conclusion (评估结论期限)."""
    return pack.term("assessment.conclusion_days", accepted).after(accepted)


def reminder(pack: Pack, accepted: date) -> date:
    """Day to remind of the conclusion (催办); it has no legal effect."""
    return pack.term("assessment.reminder_days", accepted).after(accepted)


def publicity_end(pack: Pack, published: date) -> date:
    """Last day of publicity (公示期)."""
    return pack.term("assessment.publicity_days", published).after(published)


def effective(conclusion: date) -> date:
    """The first of the month after the conclusion (结论次月)."""
    return Month.of(conclusion).next().first


def valid_until(pack: Pack, conclusion: date) -> date:
    """Last day of the validity (评估结论有效期)."""
    months = pack.integer("assessment.validity_months", conclusion)
    return add_months(conclusion, months) - timedelta(days=1)


def long_enough_disabled(pack: Pack, since: date, on: date) -> bool:
    """Whether the disability has lasted as long as the rules ask (失能持续时间)."""
    return add_months(since, pack.integer("assessment.disability_months", on)) <= on


def may_apply_again(pack: Pack, last_conclusion: date, on: date) -> bool:
    """Whether the time from the last conclusion to a new application is over (再次申请间隔)."""
    return add_months(last_conclusion, pack.integer("assessment.months_between", on)) <= on


def objection_due(pack: Pack, publicity_end: date) -> date:
    """Last day to decide an objection, counted from the end of publicity (异议处理期限)."""
    return pack.term("assessment.objection_days", publicity_end).after(publicity_end)


def review_request_until(pack: Pack, delivered: date) -> date:
    """Last day to ask for a review (复评申请期限)."""
    return pack.term("assessment.review_request_days", delivered).after(delivered)


def review_due(pack: Pack, begun: date) -> date:
    """Last day for the result of a review (复评期限)."""
    return pack.term("assessment.review_days", begun).after(begun)


def review_effective(pack: Pack, first_conclusion: date, conclusion: date) -> date:
    """First day of a review's result: that of the conclusion it replaces, or the month after."""
    told = pack.text("assessment.review_effective", conclusion)
    return effective(first_conclusion if told == "as_first" else conclusion)


def spot_check_due(pack: Pack, ordered: date) -> date:
    """Last day of a reassessment ordered after a spot check (抽查后重新评估期限)."""
    return pack.term("assessment.spot_check_days", ordered).after(ordered)
