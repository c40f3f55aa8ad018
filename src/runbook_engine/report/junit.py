"""JUnit XML, as CI systems show it: a test case for each step."""

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from runbook_engine.engine.events import StepStatus
from runbook_engine.report.model import BlindSpotPart, FindingPart, JudgedPart, KnowledgePart, Report, StepPart
from runbook_engine.report.view import View, duration, limit, reason


def junit(report: Report) -> str:
    """Flagged is a failure, blind an error, skipped, not asked or not reached is skipped. A suite for each runbook that was
    walked, one that was called behind its caller; a call fails as what it called does.
    """
    view = View(report)
    root = ET.Element("testsuites", name=report.runbook.name, time=_seconds(report.duration_ms))
    for scope in dict.fromkeys(step.scope for step in report.steps):
        _suite(root, view, scope)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(root: ET.Element, view: View, scope: str) -> None:
    report = view.report
    name = f"{report.runbook.name}/{scope}" if scope else report.runbook.name
    steps = [step for step in report.steps if step.scope == scope]
    suite = ET.SubElement(root, "testsuite", name=name, timestamp=report.started_at.removesuffix("Z"))
    if not scope:
        properties = ET.SubElement(suite, "properties")
        for key, value in _properties(report):
            ET.SubElement(properties, "property", name=key, value=value)
    for step in steps:
        _case(suite, view, step, name)
    suite.set("tests", str(len(steps)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    suite.set("time", _seconds(sum(step.duration_ms or 0.0 for step in steps)))


def _properties(report: Report) -> Iterable[tuple[str, str]]:
    yield "run_id", report.run_id
    yield "outcome", report.outcome
    yield "ending", report.ending
    yield "version", report.runbook.version
    yield from ((f"grant.{name}", source) for name, source in report.grants.items())
    yield from ((f"overruled.{name}", source) for name, source in report.overruled.items())
    for name, given in report.inputs.items():
        yield f"input.{name}", given.shown


def _case(suite: ET.Element, view: View, step: StepPart, suite_name: str) -> None:
    case = ET.SubElement(
        suite, "testcase", classname=suite_name.replace("/", "."), name=step.id, time=_seconds(step.duration_ms)
    )
    findings = [each for each in view.report.findings if (each.scope, each.step) == (step.scope, step.id)]
    blind = [each for each in view.report.blind_spots if (each.scope, each.step) == (step.scope, step.id)]
    if findings:
        for finding in findings:
            node = ET.SubElement(case, "failure", type=finding.level, message=finding.title)
            node.text = "\n".join(_finding_lines(finding))
    elif step.status is StepStatus.FLAGGED:
        ET.SubElement(case, "failure", type=view.status(step), message=reason(step) or "not finished")
    elif blind:
        for spot in blind:
            node = ET.SubElement(case, "error", type=spot.kind, message=spot.message)
            node.text = "\n".join(_blind_lines(spot))
    elif step.status is StepStatus.BLIND:
        ET.SubElement(case, "error", type="inconclusive", message=reason(step) or "not finished")
    elif step.status in (StepStatus.SKIPPED, StepStatus.NOT_ASKED, None):
        ET.SubElement(case, "skipped", message=_why_not(step, view.report))
    judged = [each for each in view.report.metrics if not step.scope and each.step == step.id]
    known = view.known.get(step.path, ())
    out = "\n".join((*map(_judged_line, judged), *_out_lines(step), *map(_known_line, known)))
    if out:
        ET.SubElement(case, "system-out").text = out


def _why_not(step: StepPart, report: Report) -> str:
    match step.status:
        case StepStatus.SKIPPED:
            return "no step chose it"
        case StepStatus.NOT_ASKED:
            inputs = next((each.inputs for each in report.not_asked if each.path == step.path), ())
            return ": ".join(("not asked, because not configured", *([", ".join(inputs)] if inputs else [])))
    return f"not reached: the run was {report.ending}"


def _finding_lines(finding: FindingPart) -> Iterable[str]:
    yield f"{finding.level} {finding.kind}: {finding.title}"
    if finding.condition:
        yield f"Evidence: {finding.condition}"
    if finding.cause:
        yield f"Cause: {finding.cause}"
    if finding.resolution:
        yield f"{finding.resolution.title}:"
        yield from (f"{number}. {each}" for number, each in enumerate(finding.resolution.steps, 1))


def _blind_lines(blind: BlindSpotPart) -> Iterable[str]:
    yield f"{blind.kind}: {blind.message}"
    if blind.remedy:
        yield f"To see it: {blind.remedy}"


def _judged_line(each: JudgedPart) -> str:
    told = each.sentence or f"{each.title}: {each.shown or 'not measured'}, {each.level} (threshold {limit(each)})"
    return f"{told}; {each.action}: {each.command}" if each.action else told


def _known_line(known: KnowledgePart) -> str:
    where = f"{known.source.title} {known.source.url}".strip()
    return f"known error: {known.pattern}; cause: {known.cause}; solution: {known.solution} ({where})"


def _out_lines(step: StepPart) -> Iterable[str]:
    if step.command:
        yield f"$ {step.command}"
    for name, metric in step.reading.items():
        yield f"{name} = {metric.shown}{f' ({metric.missing})' if metric.missing else ''}"
    for retry in step.retries:
        waited = duration(retry.wait_ms)
        yield f"attempt {retry.attempt} failed, {retry.error.kind}: {retry.error.message}; waited {waited}"
    if step.status is StepStatus.PASSED and reason(step):
        yield reason(step)


def _seconds(milliseconds: float | None) -> str:
    return f"{(milliseconds or 0.0) / 1000:.3f}"
