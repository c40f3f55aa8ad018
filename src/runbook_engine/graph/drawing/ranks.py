"""Which step stands on which line of the picture: as high as those before it allow (longest path)."""

from collections import deque
from collections.abc import Sequence

Arrow = tuple[int, int]


def backward(count: int, arrows: Sequence[Arrow]) -> set[int]:
    """The places of arrows that close a circle. A sound runbook has none, but a broken one must be drawable too."""
    out = _successors(count, arrows)
    state = [0] * count  # 0 unseen, 1 on the way down, 2 done
    closing = set()
    for first in range(count):
        if state[first]:
            continue
        stack = [(first, iter(out[first]))]
        state[first] = 1
        while stack:
            node, rest = stack[-1]
            found = next(rest, None)
            if found is None:
                state[node] = 2
                stack.pop()
                continue
            target, arrow = found
            if state[target] == 1:
                closing.add(arrow)
            elif state[target] == 0:
                state[target] = 1
                stack.append((target, iter(out[target])))
    return closing


def ranks(count: int, arrows: Sequence[Arrow], closing: set[int]) -> list[int]:
    """The line of each node, from 0. Node 0 is where it starts."""
    kept = [arrow for place, arrow in enumerate(arrows) if place not in closing]
    out = _successors(count, kept)
    waiting = [0] * count
    for _, target in kept:
        waiting[target] += 1
    free = deque(node for node in range(count) if not waiting[node])
    rank = [0] * count
    while free:
        node = free.popleft()
        for target, _ in out[node]:
            rank[target] = max(rank[target], rank[node] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                free.append(target)
    led_to = {target for _, target in kept}
    for node in range(1, count):  # what nothing leads to stands beside the rest, not above it; 0 is the start
        if node not in led_to and out[node]:
            rank[node] = min(rank[target] for target, _ in out[node]) - 1
    return rank


def _successors(count: int, arrows: Sequence[Arrow]) -> list[list[tuple[int, int]]]:
    out: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for place, (source, target) in enumerate(arrows):
        out[source].append((target, place))
    return out
