"""``runbook alert``, as a webhook's hook types it."""

import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from runbook_engine.alerting.log import one_at_a_time
from runbook_engine.cli.alert_command import command

EXAMPLES = Path(__file__).parents[3] / "examples" / "alerts"
STARTS = "2026-11-23T14:05:31Z"
SHOP = """runbook: {name}
title: Is it up?
triggers: {triggers}
inputs:
  host: {{default: 127.0.0.1, help: Where}}
  port: {{type: int, default: {port}, help: Which}}
start: port
steps:
  port:
    probe: {probe}
    on_error: [{{kind: refused, finding: api_down}}]
findings: {{api_down: {{level: critical, title: "It is down at {{{{ inputs.host }}}}", resolution: up}}}}
resolutions: {{up: {{title: Start it, steps: [Start it]}}}}
"""


def add(shell: Any, name: str, triggers: str, port: int = 1, probe: str = "tcp.connect") -> None:
    """A runbook that finds nothing listening; one that asks by HTTP waits for an answer."""
    params = '{host: "{{ inputs.host }}", port: "{{ inputs.port }}"}'
    if probe == "http.get":
        params = f'{{url: "http://127.0.0.1:{port}/"}}\n    timeout: 30s'
    text = SHOP.format(name=name, triggers=triggers, port=port, probe=f"{probe}\n    with: {params}")
    shell.write(f"runbooks/{name}.yaml", text)


@pytest.fixture
def shop(shell: Any) -> Any:
    """A shell with a runbook ``shop``, for alerts that begin with Shop."""
    (shell.folder / "runbooks").mkdir()
    add(shell, "shop", "[{alert: 'Shop*', labels: {host: '*'}, with: {host: host}}, {alert: 'Shop*'}]")
    return shell


def alert(name: str = "ShopDown", *, status: str = "firing", starts: str = STARTS, **labels: str) -> Mapping[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": name, **labels},
        "annotations": {"summary": f"{name} hurts"},
        "startsAt": starts,
        "fingerprint": f"{name}{sorted(labels.items())}",
    }


def send(shell: Any, *alerts: Mapping[str, Any], options: tuple[str, ...] = (), group: str = "g", **more: Any) -> Any:
    shell.write("body.json", json.dumps({"version": "4", "groupKey": group, "alerts": alerts, **more}))
    return shell("alert", "body.json", *options)


def runs(shell: Any) -> list[Any]:
    found: list[Any] = json.loads(shell("history", "--format", "json").stdout or "[]")
    return found


def incident(shell: Any, number: int = 1) -> Any:
    return json.loads(shell("incident", "show", "-i", str(number), "--format", "json").stdout)


def kinds(shell: Any, number: int = 1) -> list[str]:
    return [each["event"] for each in incident(shell, number)["events"]]


def test_an_alert_runs_its_runbook_and_is_known_when_it_is_sent_again(shop: Any) -> None:
    done = send(shop, alert())
    assert done.returncode == 1, done.stderr
    assert "It is down at 127.0.0.1" in done.stdout
    assert 'runs shop (trigger 2: alert "Shop*")' in done.stderr
    again = send(shop, {**alert(), "endsAt": "2026-11-23T18:00:00Z"})
    assert (again.returncode, again.stdout) == (0, "")
    assert "sent again, first at 20" in again.stderr
    assert f"see run {runs(shop)[0]['run_id']}" in again.stderr
    assert len(runs(shop)) == 1
    assert send(shop, alert(starts="2026-11-23T19:00:00Z")).returncode == 1
    assert len(runs(shop)) == 2
    listed = shop("alert", "--list").stdout
    assert "ShopDown  firing  sent 2×" in listed
    assert len(listed.splitlines()) == 2


def test_a_dry_run_says_what_would_be_run_and_keeps_nothing(shop: Any) -> None:
    done = send(
        shop,
        alert(),
        alert(host="localhost"),
        alert("DiskFull"),
        alert("ShopOld", status="resolved"),
        options=("--dry-run",),
    )
    assert done.returncode == 0
    assert done.stdout == (
        "4 alerts of alertmanager: 3 firing and 1 resolved\n"
        "ShopDown (firing since 2026-11-23 14:05:31 UTC): ShopDown hurts\n"
        '  runs shop (trigger 2: alert "Shop*")\n'
        "ShopDown (firing since 2026-11-23 14:05:31 UTC): ShopDown hurts\n"
        '  runs shop host=localhost (trigger 1: alert "Shop*", host "*")\n'
        "DiskFull (firing since 2026-11-23 14:05:31 UTC): DiskFull hurts\n"
        "  no runbook is for it: give one a trigger\n"
        "ShopOld (resolved, fired at 2026-11-23 14:05:31 UTC): ShopOld hurts\n"
        "  nothing is run for what is over\n"
        "to run: shop (2 times)\n"
        "without a runbook: DiskFull\n"
    )
    assert runs(shop) == []
    assert "no alert was taken" in shop("alert", "--list").stderr
    send(shop, alert())
    assert "sent again, first at" in send(shop, alert(), options=("--dry-run",)).stdout


def test_each_runbook_is_run_once_for_each_set_of_inputs(shop: Any) -> None:
    alerts = [alert(pod=str(number)) for number in range(5)] + [alert(host="localhost", pod=pod) for pod in "ab"]
    done = send(shop, *alerts, options=("--format", "json"))
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert [len(each["alerts"]) for each in told["runs"]] == [5, 2]
    assert [each["report"]["findings"][0]["title"] for each in told["runs"]] == [
        "It is down at 127.0.0.1",
        "It is down at localhost",
    ]
    assert told["runs"][1]["report"]["inputs"]["host"]["source"] == "label host"
    assert len(told["alerts"]) == 7


def test_a_body_comes_on_standard_input_and_in_the_forms_of_the_examples(shop: Any) -> None:
    # Of the same names as shipped ones, which they stand in for.
    add(shop, "high-latency", "[{alert: ApiLatency*}]")
    add(
        shop,
        "database-connections",
        "[{alert: Database*, source: grafana}, {alert: '*', labels: {Namespace: AWS/RDS}}]",
    )
    bodies = {"alertmanager": "high-latency", "grafana": "database-connections", "cloudwatch": "database-connections"}
    for name, runbook in bodies.items():
        done = subprocess.run(
            [*shop.command, "alert", "-", "--format", "json"],
            input=(EXAMPLES / f"{name}.json").read_bytes(), env=shop.environ, cwd=shop.folder, capture_output=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        assert [each["runbook"] for each in json.loads(done.stdout)["runs"]] == [runbook]


def test_a_label_that_a_program_would_take_for_an_option_starts_no_run(shop: Any) -> None:
    done = send(shop, alert(host="-oProxyCommand=x"))
    assert done.returncode == 2, done.stderr
    assert "shop was not run: the label host begins with a hyphen" in done.stderr
    assert runs(shop) == []


def test_one_runbook_that_cannot_run_keeps_none_of_the_others_from_it_and_is_tried_again(shop: Any) -> None:
    shop.write(
        "runbooks/broken.yaml",
        "runbook: broken\ntitle: T\ntriggers: [{alert: Shop*}]\nstart: nowhere\nsteps: {a: {ask: Why?}}\n",
    )
    add(shop, "asks", "[{alert: Shop*, with: {port: pod}}]")
    done = send(shop, alert(pod="many"))
    assert done.returncode == 78, done.stderr
    assert "broken was not run: it has mistakes" in done.stderr
    assert "asks was not run: the label pod of ShopDown does not fit input 'port'" in done.stderr
    assert "It is down" in done.stdout
    (shop.folder / "runbooks/broken.yaml").unlink()
    add(shop, "asks", "[{alert: Shop*}]")
    again = send(shop, alert(pod="many"))
    assert again.returncode == 1
    assert "not finished since" in again.stderr
    assert "shop has run for this already" in again.stderr
    assert sorted(each["runbook"] for each in runs(shop)) == ["asks", "shop"]
    assert send(shop, alert(pod="many")).returncode == 0


def test_in_a_process_that_lives_on_what_was_left_can_be_taken_up_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNBOOK_STATE", str(tmp_path / "state"))
    (tmp_path / "runbooks").mkdir()
    text = "runbook: broken\ntitle: T\ntriggers: [{alert: Shop*}]\nstart: nowhere\nsteps: {a: {ask: Why?}}\n"
    (tmp_path / "runbooks/broken.yaml").write_text(text)
    body = json.dumps({"alerts": [alert()]})
    for says in ("runs broken", "sent again, and not finished since", "sent again, and not finished since"):
        done = CliRunner().invoke(command, ["-"], input=body, standalone_mode=False)
        assert done.return_value == 78
        assert says in done.stderr


def test_no_more_runs_than_allowed_and_what_was_left_out_is_run_when_it_is_sent_again(shop: Any) -> None:
    alerts = [alert(host=f"127.0.0.{number}") for number in range(1, 6)]
    done = send(shop, *alerts, options=("--max-runs", "3"))
    assert "2 of 5 runs were left out" in done.stderr
    assert done.returncode == 1
    assert len(runs(shop)) == 3
    assert send(shop, *alerts).returncode == 1
    assert len(runs(shop)) == 5
    assert send(shop, *alerts).returncode == 0


def test_inputs_go_to_the_runbooks_that_have_them_and_count_before_labels(shop: Any) -> None:
    done = send(shop, alert(host="127.0.0.9"), options=("-s", "host=127.0.0.7", "-s", "other=1", "-q"))
    assert "It is down at 127.0.0.7" in done.stdout
    assert done.stderr == ""


def test_an_incident_is_opened_with_the_priority_that_the_runs_tell_and_goes_on_when_the_alert_is_over(
    shop: Any,
) -> None:
    done = send(shop, alert(), alert("ShopSlow"), options=("--open",))
    assert done.returncode == 1, done.stderr
    assert "opened incident 1, P0: 2 alerts, first ShopDown: ShopDown hurts" in done.stderr
    told = incident(shop)
    assert "found api_down" in " ".join(told["events"][0]["because"])
    assert kinds(shop) == ["opened", "playbook_started", "alert_taken", "alert_taken", "run_attached"]
    assert told["events"][2]["by"] == "alert"
    over = send(shop, alert(status="resolved"))
    assert over.returncode == 0
    assert (
        "an alert is over in incident 1, which stays open until you say: runbook incident resolve -i 1" in over.stderr
    )
    assert kinds(shop)[-1] == "alert_taken"
    assert incident(shop)["state"] == "open"
    assert send(shop, alert("ShopElse"), options=("--open",)).returncode == 1
    assert kinds(shop)[-2:] == ["alert_taken", "run_attached"]
    assert send(shop, alert("ShopElse", pod="b"), group="h", options=("--open",)).returncode == 1
    assert len(json.loads(shop("incident", "list", "--format", "json").stdout)) == 2


def test_alerts_are_added_to_the_incident_that_is_named(shop: Any) -> None:
    shop("incident", "open", "Shop down", "-p", "P2")
    assert send(shop, alert(), options=("--incident", "1")).returncode == 1
    assert kinds(shop) == ["opened", "alert_taken", "run_attached"]
    assert incident(shop)["events"][1]["labels"] == {"alertname": "ShopDown"}
    assert send(shop, alert("ShopSlow"), options=("--incident", "9")).returncode == 2
    assert len(runs(shop)) == 1


def test_no_password_that_an_alert_holds_is_kept_or_shown(shop: Any) -> None:
    body = alert(dsn="postgres://ann:hunter2@db/shop")
    done = send(
        shop, {**body, "annotations": {"summary": "password=hunter2 leaked"}}, options=("--open", "--format", "json")
    )
    assert done.returncode == 1, done.stderr
    assert "ann:***@db" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr + shop("incident", "show").stdout
    assert b"hunter2" not in (shop.folder / "home/.local/state/runbook/journal.sqlite3").read_bytes()


def test_hostile_text_reaches_no_terminal_and_is_kept_visible(shop: Any) -> None:
    evil = alert("Shop\x1b[2J\nEvil", x="\u202e\x00")
    done = send(shop, {**evil, "annotations": {"summary": "\x1b]0;owned\x07" + "x" * 100_000}}, options=("--open",))
    assert done.returncode == 1, done.stderr
    shown = done.stdout + done.stderr + shop("incident", "show").stdout + shop("alert", "--list").stdout
    assert not set("\x1b\x00\x07\u202e") & set(shown)
    assert "Shop␛[2J Evil" in shown
    assert len(done.stderr) < 20_000


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("{", (), "the body is no JSON"),
        ('{"alerts": [{"labels": {"a": []}}]}', (), "alerts[0].labels.a is a list, where a text is expected"),
        (json.dumps({"Type": "SubscriptionConfirmation", "TopicArn": "arn:t", "SubscribeURL": "x"}), (), "aws sns confirm-subscription"),
        ("{}", ("--open", "--incident", "1"), "leave out one of them"),
        ("{}", ("-p", "P1"), "are for the incident that --open opens"),
        ("{}", ("--incident", "1"), "nobody known here sends such a body"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_with_the_next_step(
    shop: Any, text: str, options: tuple[str, ...], says: str
) -> None:
    done = shop("alert", shop.write("body.json", text), *options)
    assert done.returncode == 2
    assert says in done.stderr.replace("\n", " ")
    assert done.stdout == ""


def test_bodies_of_ten_mebibytes_are_taken_and_larger_ones_refused(shop: Any) -> None:
    alerts = [{**alert("Other", pod=str(number)), "annotations": {"summary": "x" * 450}} for number in range(15_000)]
    text = json.dumps({"version": "4", "groupKey": "g", "alerts": [*alerts, alert()]})
    assert 9_000_000 < len(text) < 10 * 1024**2
    begun = time.monotonic()
    done = shop("alert", shop.write("body.json", text), "--format", "json")
    assert done.returncode == 1, done.stderr[-500:]
    assert len(json.loads(done.stdout)["alerts"]) == 15_001
    assert "… and 14951 more" in done.stderr
    assert len(done.stderr) < 40_000
    assert time.monotonic() - begun < 30
    again = shop("alert", "body.json")
    assert "nothing is to be run" in again.stderr
    large = shop("alert", shop.write("body.json", text + " " * (11 * 1024**2 - len(text))))
    assert large.returncode == 2
    assert "has more than 10 MiB" in large.stderr
    assert large.stdout == ""


def test_thousands_of_alerts_are_filed_in_an_incident_and_are_over_there(shop: Any) -> None:
    alerts = [alert(pod=str(number)) for number in range(3_000)]
    begun = time.monotonic()
    assert send(shop, *alerts, options=("--open", "-p", "P2")).returncode == 1
    assert send(shop, *alerts[:2], alert("ShopNew"), options=("--open",)).returncode == 1
    over = send(shop, *({**each, "status": "resolved"} for each in alerts))
    assert "3000 alerts are over in incident 1" in over.stderr
    assert kinds(shop).count("alert_taken") == 6_001
    assert time.monotonic() - begun < 30


def test_what_the_sender_left_out_is_told(shop: Any) -> None:
    assert "the sender left out 7 alerts" in send(shop, alert(), truncatedAlerts=7).stderr


def test_where_nothing_can_be_kept_the_runbook_is_run_all_the_same(shop: Any) -> None:
    (shop.folder / "file").write_text("")
    shop.write("body.json", json.dumps({"alerts": [alert()]}))
    done = shop("alert", "body.json", RUNBOOK_STATE=str(shop.folder / "file"))
    assert done.returncode == 1, done.stderr
    assert "an alert that is sent again will not be recognised" in done.stderr
    assert "It is down" in done.stdout


def waiting(shop: Any, port: int) -> Any:
    """A process that has taken the alert, and waits for a server that never answers."""
    add(shop, "shop", "[{alert: Shop*}]", port, "http.get")
    shop.write("body.json", json.dumps({"version": "4", "groupKey": "g", "alerts": [alert()]}))
    running = shop.start("alert", "body.json")
    for line in running.stderr:
        if "port  started" in line:
            return running
    raise AssertionError(running.wait(10))


def test_of_two_processes_that_get_an_alert_at_once_one_runs_it(shop: Any, listening: int) -> None:
    running = waiting(shop, listening)
    other = shop("alert", "body.json")
    assert (other.returncode, other.stdout) == (0, "")
    assert "sent again, while another process works on it" in other.stderr
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=20)
    assert running.returncode == 130
    assert len(runs(shop)) == 1


def test_processes_that_begin_at_the_same_moment_run_it_once(shop: Any) -> None:
    shop.write("body.json", json.dumps({"version": "4", "groupKey": "g", "alerts": [alert()]}))
    started = [shop.start("alert", "body.json") for _ in range(4)]
    for each in started:
        each.communicate(timeout=60)
    assert sorted(each.returncode for each in started) == [0, 0, 0, 1]
    assert len(runs(shop)) == 1


def test_alerts_of_a_group_that_come_at_the_same_moment_open_one_incident(shop: Any) -> None:
    for pod in "abcd":
        shop.write(f"{pod}.json", json.dumps({"version": "4", "groupKey": "g", "alerts": [alert(pod=pod)]}))
    started = [shop.start("alert", f"{pod}.json", "--open") for pod in "abcd"]
    for each in started:
        each.communicate(timeout=60)
    assert [each.returncode for each in started] == [1] * 4
    assert len(json.loads(shop("incident", "list", "--all", "--format", "json").stdout)) == 1
    assert kinds(shop).count("alert_taken") == kinds(shop).count("run_attached") == 4


def test_who_opens_an_incident_waits_for_others_that_do(shop: Any) -> None:
    shop("incident", "list")
    shop.write("body.json", json.dumps({"version": "4", "groupKey": "g", "alerts": [alert()]}))
    with one_at_a_time(shop.folder / "home/.local/state/runbook/journal.sqlite3"):
        running = shop.start("alert", "body.json", "--open")
        assert any("run completed" in line for line in running.stderr)
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(0.5)
        assert shop("incident", "list").stderr == "no incident is open\n"
    running.communicate(timeout=20)
    assert running.returncode == 1
    assert kinds(shop)[0] == "opened"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_was_cut_is_run_again_when_the_alert_is_sent_again(
    shop: Any, listening: int, how: signal.Signals
) -> None:
    running = waiting(shop, listening)
    running.send_signal(how)
    running.communicate(timeout=20)
    add(shop, "shop", "[{alert: Shop*}]")
    again = shop("alert", "body.json")
    assert again.returncode == 1, again.stderr
    assert "sent again, and not finished since" in again.stderr
    assert "It is down" in again.stdout
    assert runs(shop)[0]["outcome"] == "critical"
    assert shop("alert", "body.json").returncode == 0
    with sqlite3.connect(shop.folder / "home/.local/state/runbook/journal.sqlite3") as journal:
        assert journal.execute("select state, sent from alerts").fetchall() == [("finished", 3)]
    journal.close()
