"""How bad it is, by the shipped policy: each example of the operations guide, what is unsure, and what a run says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.document.models import Severity
from runbook_engine.engine.events import Outcome
from runbook_engine.engine.trace import Trace
from runbook_engine.errors import UsageError
from runbook_engine.incidents.classify import Known, classify, from_trace, read_answer
from runbook_engine.incidents.policy import load_policy

POLICY = load_policy()


def found(**answers: str) -> tuple[str, str]:
    made = classify(POLICY, {name: read_answer(POLICY, name, text) for name, text in answers.items()})
    return str(made.priority), made.because


@pytest.mark.parametrize(
    ("answers", "priority", "because"),
    [
        ({"outage": "yes"}, "P0", "Complete outage"),
        ({"breach": "yes"}, "P0", "data breach"),
        ({"data_loss": "yes"}, "P0", "System down, data loss, security breach"),
        ({"safety": "yes"}, "P0", "safety system failure"),
        ({"error_rate": "5.1%"}, "P1", "API errors >5%"),
        ({"authentication": "yes"}, "P1", "authentication failure"),
        ({"payment": "yes"}, "P1", "payment issues"),
        ({"slow": "yes"}, "P2", "Slow response times"),
        ({"glitch": "yes"}, "P2", "UI glitches"),
        ({"errors": "yes"}, "P2", "non-critical errors"),
        ({"error_rate": "5%"}, "P3", "no rule for a higher priority than P3 holds"),
        ({"slow": "yes", "payment": "yes", "breach": "yes"}, "P0", "data breach"),
    ],
)
def test_each_example_of_the_guide_has_its_priority(answers: dict[str, str], priority: str, because: str) -> None:
    assert found(**answers) == (priority, because)


def test_when_unsure_it_is_the_higher_priority_and_says_so() -> None:
    made = classify(POLICY, {"outage": Known(None, "unsure", "ann"), "slow": Known(True, "yes", "ann")})
    assert (made.priority, made.unsure) == (Severity.P0, ("outage",))
    assert any("the higher priority counts" in each for each in made.sentences)
    made = classify(POLICY, {"error_rate": Known(None, "unsure", "ann")})
    assert made.priority is Severity.P1


def test_what_nobody_said_is_taken_for_a_no_and_told() -> None:
    made = classify(POLICY, {"payment": Known(True, "yes", "ann")})
    assert made.assumed == ("outage", "data_loss", "breach", "safety", "error_rate", "authentication")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("outrage", "yes", "did you mean 'outage'"),
        ("outage", "maybe", "write yes, no or unsure"),
        ("error_rate", "5", "write a percent, for example 7%"),
        ("error_rate", "lots", "is not a number"),
    ],
)
def test_an_answer_that_cannot_be_is_refused(name: str, text: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_answer(POLICY, name, text)
    assert says in str(refused.value).replace('"', "'")


_ANSWERS = st.dictionaries(
    st.sampled_from([name for name in POLICY.facts if name != "error_rate"]),
    st.sampled_from([Known(True, "yes", ""), Known(False, "no", ""), Known(None, "unsure", "")]),
)


@given(_ANSWERS, st.sampled_from(list(POLICY.facts)))
def test_less_certainty_never_makes_an_incident_less_bad(answers: dict[str, Known], name: str) -> None:
    sure = classify(POLICY, {**answers, name: Known(False if name != "error_rate" else 0.0, "no", "")})
    unsure = classify(POLICY, {**answers, name: Known(None, "unsure", "")})
    assert unsure.priority <= sure.priority


def test_a_run_answers_by_its_findings_and_metrics_and_what_it_could_not_see_is_unsure(policy: IncidentPolicy) -> None:
    blind = Trace("r", "high-latency", "1", "", {}, {}, "", 0.0, {}, (), outcome=Outcome.INCONCLUSIVE)
    facts = from_trace(policy, blind)
    assert facts["outage"].value is None
    assert classify(policy, facts).priority is Severity.P0
    healthy = Trace("r", "high-latency", "1", "", {}, {}, "", 0.0, {}, (), outcome=Outcome.HEALTHY)
    assert from_trace(policy, healthy) == {}
