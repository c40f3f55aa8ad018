"""How effective the response was, as rows that every format for people shows."""

from collections.abc import Iterator

from msgspec import Struct

from runbook_engine.incidents.moments import recorded, span
from runbook_engine.incidents.postmortem_model import AnswerPart, MessagesPart, ResponsePart, TasksPart, UpdatesPart

NO_TARGET = "–"


class Row(Struct, frozen=True):
    """``good`` is None where the policy has no target for it, or nobody can say."""

    measure: str
    value: str
    target: str = NO_TARGET
    good: bool | None = None

    @property
    def verdict(self) -> str:
        return "" if self.good is None else "in time" if self.good else "late"


def rows(response: ResponsePart) -> Iterator[Row]:
    """The times first, then how people were told, who was called, and what was done."""
    for index, each in enumerate(response.answers):
        yield _answer(each, raised=index > 0)
    times = response.times
    yield Row("Time to diagnose", recorded(times.diagnose_s))
    yield Row("Time to mitigate", recorded(times.mitigate_s))
    yield Row("Time to resolve", recorded(times.resolve_s))
    if response.reopened:
        yield Row("Opened again", f"{response.reopened} time{'' if response.reopened == 1 else 's'}")
    if response.updates is not None:
        yield _updates(response.updates)
    yield _messages(response.messages)
    if response.reached:
        told = (f"{' and '.join(each.roles)} ({_after(each.after_s)})" for each in response.reached)
        yield Row("Escalation reached", "; ".join(dict.fromkeys(told)))
    if response.tasks is not None:
        yield _tasks(response.tasks)


def _answer(answer: AnswerPart, *, raised: bool) -> Row:
    since = (
        ", once an alert had opened it again"
        if answer.again
        else f", once it was a {answer.priority}"
        if raised
        else ""
    )
    measure = f"Time to acknowledge{since}"
    return Row(measure, recorded(answer.took_s), f"{answer.priority}: within {span(answer.limit_s)}", answer.in_time)


def _updates(updates: UpdatesPart) -> Row:
    told = [f"{updates.kept} in time"]
    told += [f"{updates.late} late"] if updates.late else []
    told.append(f"{updates.missed} missed")
    value = f"{', '.join(told)}; longest silence {span(updates.longest_s)}"
    target = f"every {span(updates.every_s)}" if updates.every_s is not None else NO_TARGET
    return Row("Status updates", value, target, updates.missed == 0)


def _messages(messages: MessagesPart) -> Row:
    told = [f"{messages.sent or 'none'} sent"]
    told += [f"not sent yet: {', '.join(messages.waiting)}"] if messages.waiting else []
    told += [f"nobody knows: {', '.join(messages.uncertain)}"] if messages.uncertain else []
    told += [f"never sent: {', '.join(messages.never_sent)}"] if messages.never_sent else []
    return Row("Messages", "; ".join(told))


def _tasks(tasks: TasksPart) -> Row:
    told = [f"{tasks.in_time} in time", f"{len(tasks.late)} late", f"{tasks.skipped} skipped"]
    told += [f"{tasks.untold} done and not sent"] if tasks.untold else []
    told += [f"{tasks.left} of which nothing was said"] if tasks.left else []
    return Row(
        "Tasks of the playbooks",
        ", ".join(told),
        "when each was due",
        not (tasks.late or tasks.untold) if not tasks.left else None,
    )


def _after(seconds: float) -> str:
    return f"after {span(seconds)}" if seconds else "at once"
