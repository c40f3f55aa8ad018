"""A postmortem for a terminal."""

from collections.abc import Iterator, Sequence

from runbook_engine.incidents.moments import recorded
from runbook_engine.incidents.postmortem_model import Postmortem
from runbook_engine.incidents.response_rows import NO_TARGET, rows
from runbook_engine.report.ready import Ready
from runbook_engine.report.terminal import Terminal

_LEAST_WIDTH = 60


def text(found: Postmortem, width: int = 100) -> str:
    """What is not written down yet is said with the command that writes it down."""
    return "\n".join(_Page(found, Terminal(max(_LEAST_WIDTH, width), color=False)).lines()) + "\n"


class _Page:
    def __init__(self, found: Postmortem, terminal: Terminal) -> None:
        self.found = found
        self.fill = terminal.filled

    def lines(self) -> Iterator[Ready]:
        found = self.found
        yield from self.fill(f"Postmortem of incident {found.incident}: {found.title}", 0)
        yield from self.fill(found.introduction, 0)
        if found.description:
            yield from self.fill(found.description, 0)
        yield from self._impact()
        yield from self._cause()
        yield from self._part("Timeline (UTC)")
        for each in found.timeline:
            later = f" (written down {_utc(each.written_at)})" if each.written_at else ""
            yield from self.fill(f"{each.text}{later}", 25, mark=f"{each.seq:>3}  {_utc(each.at)} ", mark_width=22)
        yield from self._response()
        yield from self._said("What went well", found.went_well, "went_well")
        yield from self._said("What did not go well", found.went_badly, "went_badly")
        yield from self._said("Lessons", found.lessons, "lesson")
        yield from self._actions()
        yield from self._meeting()
        yield Ready()
        yield from self.fill(f"{found.policy}, {_utc(found.written_at)} UTC, runbook-engine {found.engine}", 0)

    def _part(self, heading: str) -> Iterator[Ready]:
        yield Ready()
        yield Ready(heading)

    def _said(self, heading: str, remarks: Sequence[str], section: str) -> Iterator[Ready]:
        if heading:
            yield from self._part(heading)
        for each in remarks:
            yield from self.fill(each, 4, mark="-")
        if not remarks:
            hint = f"runbook incident remark {section} '…' -i {self.found.incident}"
            yield from self.fill(f"not written down yet: {hint}", 2)

    def _impact(self) -> Iterator[Ready]:
        found, impact = self.found, self.found.impact
        yield from self._part(f"Impact  {found.priority} {found.priority_title}, {found.state}")
        yield from self.fill(f"{impact.stated}; because: {'; '.join(found.because)}", 2)
        times: list[tuple[str, str | None]] = [("began", impact.began_at)] if impact.began_at else []
        times += [("opened", impact.opened_at), ("mitigated", impact.mitigated_at), ("resolved", impact.resolved_at)]
        told = ", ".join(f"{word} {_utc(at) if at else recorded(None)}" for word, at in times)
        yield from self.fill(f"{told} (UTC)", 2)
        lasting = (
            ("how long it hurt", "it hurt for", impact.hurt_s),
            ("how long it lasted", "it lasted", impact.lasted_s),
        )
        yield from self.fill(
            ", ".join(
                f"{asked} is not known yet" if took is None else f"{said} {recorded(took)}"
                for asked, said, took in lasting
            ),
            2,
        )
        yield from self._said("", impact.remarks, "impact")
        for each in impact.symptoms:
            yield from self.fill(f"seen: {each}", 4, mark="-")

    def _cause(self) -> Iterator[Ready]:
        found = self.found
        yield from self._said("Root cause", found.root_cause.remarks, "root_cause")
        for cause in found.root_cause.found:
            why = f": {cause.cause}" if cause.cause else ""
            what = f". What to do: {cause.to_do}" if cause.to_do else ""
            yield from self.fill(f"found: {cause.title}{why} ({cause.runbook}, run {cause.run_id}){what}", 4, mark="-")
        for spot in found.blind_spots:
            remedy = f"; to see it: {spot.remedy}" if spot.remedy else ""
            what = f"not seen by {spot.runbook}: {', '.join(spot.steps)}: {spot.kind}: {spot.message}{remedy}"
            yield from self.fill(what, 4, mark="-")

    def _response(self) -> Iterator[Ready]:
        yield from self._part("How the response went")
        found = tuple(rows(self.found.response))
        wide = max(len(row.measure) for row in found)
        for row in found:
            target = f" ({row.target}{f': {row.verdict}' if row.verdict else ''})" if row.target != NO_TARGET else ""
            yield from self.fill(
                f"{row.value}{target}", wide + 4, mark=f"{row.measure:<{wide + 1}}", mark_width=wide + 1
            )
        tasks = self.found.response.tasks
        for each in tasks.late if tasks is not None else ():
            yield from self.fill(f"{each.title} ({each.task}): {recorded(each.late_s)} late", 4, mark="-")

    def _actions(self) -> Iterator[Ready]:
        found = self.found
        yield from self._part("Actions")
        for each in found.actions:
            state = "done" if each.done else "OVERDUE" if each.overdue else "open"
            link = f", {each.link}" if each.link else ""
            told = f"{each.title} ({each.owner}, {each.horizon_title}, due {each.due}{link}): {state}"
            yield from self.fill(told, 6, mark=f"{each.action}.", mark_width=len(f"{each.action}."))
        if not found.actions:
            yield from self.fill(f"none yet: runbook incident actions add '…' --owner NAME -i {found.incident}", 2)

    def _meeting(self) -> Iterator[Ready]:
        found = self.found
        yield from self._part("Meeting")
        if found.meeting is None:
            by = f"; the policy wants it by {found.meeting_by}" if found.meeting_by else ""
            yield from self.fill(f"not scheduled yet{by}: runbook incident meeting -i {found.incident}", 2)
        else:
            place = f", {found.meeting.place}" if found.meeting.place else ""
            yield from self.fill(f"{found.meeting.shown}, {found.meeting.minutes} minutes{place}", 2)
            yield from self.fill(f"with {', '.join(found.meeting.attendees)}", 2)
        for step in found.process:
            yield from self.fill(f"{step.title}{f' ({step.note})' if step.note else ''}", 2)
            for each in step.items:
                yield from self.fill(each, 8, mark="[ ]", mark_width=3)


def _utc(at: str) -> str:
    """``2026-11-23 14:30``."""
    return at[:16].replace("T", " ")
