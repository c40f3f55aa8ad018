"""Blocks of code in procedures: commands whole, what they print beside them, nothing lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.authoring.blocks import pieces


def told(block: str, language: str = "bash") -> list[tuple[str, str]]:
    return [(each.kind, each.text) for each in pieces(block, language)]


@pytest.mark.parametrize(
    "command",
    [
        "psql -c \"SELECT count(*) FROM orders WHERE total > 100 AND state = '$ open'\"",
        "awk '$3 > 90 {print $ 1}' /tmp/x",
        "echo 5 % 3",
        "test 3 -gt 2 && echo yes > /tmp/x",
        "for pod in $(kubectl get pods -o name); do\n  kubectl logs $pod\ndone",
        "while true; do\n  date\n  sleep 5\ndone",
        "if [ -f /tmp/lock ]; then\n  ls -l /tmp/lock\nfi",
        "kubectl get pods |\n  grep -v Running |\n  wc -l",
        "psql <<'SQL'\nSELECT 1;\n\n# no comment\n$ no prompt\nSQL",
        "cat <<EOF | kubectl apply -f -\nkind: Pod\nEOF",
        "curl https://example.com \\\n  -H 'Accept: text/html' \\\n  -o /dev/null",
        "psql -c '\n  SELECT 1\n'",
        "check() {\n  curl -f $1\n}",
        "curl https://example.com/search?q=a&page=2",
        "kubectl get pod <pod name> -n <namespace>",
        "> /var/log/app/verbose.log",
    ],
)
@pytest.mark.parametrize("prompt", ["", "$ "])
def test_a_command_stays_whole_and_as_it_was_written(command: str, prompt: str) -> None:
    assert told(prompt + command) == [("command", command)]


@pytest.mark.parametrize(
    "prompt",
    [
        "$ ",
        "% ",
        "  $ ",
        "ann@host:~$ ",
        "[root@db-01 ~]# ",
        "root@db:/var/log# ",
        "bash-5.1$ ",
        "(venv) ann@host % ",
        "sh-4.4# ",
    ],
)
def test_a_prompt_is_taken_away_at_the_beginning_only(prompt: str) -> None:
    block = f"{prompt}echo 'costs $ 5 > 4 % 3'\ncosts $ 5\n{prompt}uptime\n"
    assert told(block, "console") == [
        ("command", "echo 'costs $ 5 > 4 % 3'"),
        ("output", "costs $ 5"),
        ("command", "uptime"),
    ]


def test_the_prompt_of_root_is_told_from_a_comment() -> None:
    assert told("# systemctl status nginx\n● nginx.service\n   Active: failed\n# journalctl -u nginx -n 50\n") == [
        ("command", "systemctl status nginx"),
        ("output", "● nginx.service"),
        ("output", "   Active: failed"),
        ("command", "journalctl -u nginx -n 50"),
    ]
    (piece,) = pieces("# kill the process that holds the lock\n# find it by its age\nps aux\n")
    assert (piece.text, piece.comment) == ("ps aux", "kill the process that holds the lock find it by its age")
    (piece,) = pieces("# kubectl must point to production\nkubectl get pods\n")
    assert (piece.text, piece.comment) == ("kubectl get pods", "kubectl must point to production")
    assert told("# Nothing is to be done here\n") == [("remark", "Nothing is to be done here")]


@pytest.mark.parametrize(
    "output",
    [
        "NAME      READY   STATUS\nweb-1     0/1     CrashLoopBackOff",
        "Error from server (NotFound): it can't be found",
        "error: unable to connect",
        '{"status": "red"}',
        "HTTP/1.1 503 Service Unavailable",
        " count\n-------\n    42\n(1 row)",
        "drwxr-xr-x 2 root root 4096 Nov 1 10:00 log",
        "/dev/sda1        98G   91G  2.1G  98% /",
        "2024-01-01 10:00:00 ERROR no route",
    ],
)
def test_what_a_command_prints_is_no_command(output: str) -> None:
    assert told(f"kubectl get pods\n{output}\n") == [
        ("command", "kubectl get pods"),
        *(("output", line.rstrip()) for line in output.split("\n")),
    ]


def test_a_block_that_says_nothing_of_itself_is_read_by_how_it_begins() -> None:
    assert told("kubectl get pods\n", "") == [("command", "kubectl get pods")]
    assert told("connection refused\n", "") == [("output", "connection refused")]
    assert told("status: red\nnodes: 3\n", "") == [("output", "status: red\nnodes: 3")]
    assert told("> kubectl get pods\n> df -h\n", "") == [("command", "kubectl get pods"), ("command", "df -h")]
    assert told("kind: Pod\n", "yaml") == [("output", "kind: Pod")]


def test_what_is_for_another_program_says_for_which() -> None:
    block = "shop=# SELECT a\nshop-#   FROM b;\n a\n---\n"
    first, *rest = pieces(block, "")
    assert (first.kind, first.program, first.text) == ("other", "SQL", "SELECT a\n  FROM b;")
    assert [each.kind for each in rest] == ["output", "output"]
    assert [(each.program, each.text) for each in pieces("Jobs.size\n", "ruby")] == [("Ruby", "Jobs.size")]
    assert [(each.program, each.text) for each in pieces("SELECT 1\n  FROM b;\ndf -h\n", "bash")] == [
        ("SQL", "SELECT 1\n  FROM b;"),
        ("", "df -h"),
    ]
    assert pieces("127.0.0.1:6379> LLEN mail\n(integer) 3\n", "")[0].program == "redis-cli"


def test_what_is_never_whole_is_shown_as_it_is() -> None:
    assert told("echo 'never closed\ndf -h\n") == [("unclear", "echo 'never closed"), ("command", "df -h")]
    torn = "kubectl run x --image=busybox\n  --restart=Never\n  --rm -it"
    assert told(f"{torn}\ndf -h\n") == [("unclear", torn), ("command", "df -h")]
    endless = "while true; do\n  date\n  sleep 5"
    assert told(f"{endless}\n\ndf -h\n") == [("unclear", endless), ("command", "df -h")]


def test_commands_of_a_line_are_taken_apart_where_each_may_be_run_alone() -> None:
    assert told("df -h && free -m; uptime") == [("command", "df -h"), ("command", "free -m"), ("command", "uptime")]
    assert told("cd /srv && ls") == [("command", "cd /srv && ls")]
    assert told("curl -f https://a.example.com || systemctl restart a") == [
        ("command", "curl -f https://a.example.com || systemctl restart a")
    ]


_LINES = st.lists(
    st.sampled_from(
        [
            "df -h", "$ df -h", "# df -h", "# a remark", "", "for a in b; do", "done", "  echo $a", "psql <<X", "X", "'", '"',
            "a |", "| b", "a \\", "> x", "NAME   READY", "SELECT 1", ";", "shop=# x", "shop-# y", "{", "}", "&&", "-h x",
            "curl <a b>", "é", "(1 row)",
        ]
    ),
    max_size=12,
)  # fmt: skip


@given(_LINES, st.sampled_from(["bash", "", "console", "sql", "yaml"]))
def test_every_line_is_in_a_piece_and_is_counted_once(lines: list[str], language: str) -> None:
    block = "\n".join(lines)
    found = pieces(block, language)
    assert sum(each.lines for each in found) == sum(bool(line.strip()) for line in lines)
    said = " ".join(f"{each.comment} {each.text}" for each in found)
    for line in lines:
        for word in line.split():
            bare = word.strip("#$>|\\;&-=")
            assert bare.removeprefix("shop") in said
