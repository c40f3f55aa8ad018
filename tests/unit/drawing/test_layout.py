import itertools

from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.graph.drawing.layout import Box, Layout, Link, layout


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Box], list[Link]]:
    size = draw(st.integers(1, 14))
    boxes = [Box(draw(st.floats(20, 300)), draw(st.floats(20, 200))) for _ in range(size)]
    pairs = draw(st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)), max_size=30))
    links = [
        Link(one, other, draw(st.floats(-0.5, 0.5)) * boxes[one].width, boxes[one].height, error=draw(st.booleans()))
        for one, other in pairs
        if one != other
    ]
    return boxes, links


def inside(placed: Layout, boxes: list[Box], x: float, top: float, bottom: float) -> list[int]:
    """The boxes that a vertical line runs through."""
    return [
        index
        for index, (box, (left, above)) in enumerate(zip(boxes, placed.boxes, strict=True))
        if left + 0.01 < x < left + box.width - 0.01 and above + 0.01 < bottom and top < above + box.height - 0.01
    ]


@given(graphs())
def test_boxes_never_overlap(graph: tuple[list[Box], list[Link]]) -> None:
    boxes, links = graph
    placed = layout(boxes, links)
    corners = list(zip(boxes, placed.boxes, strict=True))
    for (one, (x1, y1)), (other, (x2, y2)) in itertools.combinations(corners, 2):
        apart = x1 + one.width <= x2 + 0.01 or x2 + other.width <= x1 + 0.01
        assert apart or y1 + one.height <= y2 + 0.01 or y2 + other.height <= y1 + 0.01


@given(graphs())
def test_everything_stands_inside_the_picture(graph: tuple[list[Box], list[Link]]) -> None:
    boxes, links = graph
    placed = layout(boxes, links)
    for box, (left, top) in zip(boxes, placed.boxes, strict=True):
        assert left >= -0.01
        assert left + box.width <= placed.width + 0.01
        assert top >= 0
        assert top + box.height <= placed.height + 0.01


@given(graphs())
def test_arrows_lead_down_and_run_under_no_box(graph: tuple[list[Box], list[Link]]) -> None:
    boxes, links = graph
    placed = layout(boxes, links)
    tops = {top for _, top in placed.boxes}
    for each in placed.segments:
        assert each.y1 <= each.bend < each.y2 <= each.end
        assert not inside(placed, boxes, each.x2, each.y2, each.end)
        crossing = [top for top in tops if each.bend + 0.01 < top < each.y2 - 0.01]
        assert not crossing, "a curve passes a whole line of boxes"


@given(graphs())
def test_every_arrow_but_those_that_close_a_circle_arrives(graph: tuple[list[Box], list[Link]]) -> None:
    boxes, links = graph
    placed = layout(boxes, links)
    drawn = [link for index, link in enumerate(links) if index not in placed.backward]
    arrivals = {(round(each.x2, 3), round(each.end, 3)) for each in placed.segments if each.head}
    for link in drawn:
        left, top = placed.boxes[link.target]
        assert (round(left + boxes[link.target].width / 2, 3), round(top, 3)) in arrivals


def test_only_the_arrows_that_close_a_circle_are_left_out() -> None:
    boxes = [Box(10, 10)] * 3
    links = [Link(0, 1, 0, 10), Link(1, 2, 0, 10), Link(2, 0, 0, 10), Link(0, 2, 0, 10)]
    assert layout(boxes, links).backward == (2,)


def test_a_step_stands_below_all_that_lead_to_it() -> None:
    boxes = [Box(10, 10)] * 4
    placed = layout(boxes, [Link(0, 1, 0, 10), Link(1, 2, 0, 10), Link(0, 3, 0, 10), Link(2, 3, 0, 10)])
    assert [top for _, top in placed.boxes] == sorted({top for _, top in placed.boxes})


def test_a_chain_stands_in_one_column() -> None:
    boxes = [Box(100, 40)] * 6
    placed = layout(boxes, [Link(index, index + 1, 0, 40) for index in range(5)])
    assert {left for left, _ in placed.boxes} == {0.0}


def test_two_chains_do_not_cross_whatever_their_order() -> None:
    boxes = [Box(100, 40)] * 5
    placed = layout(boxes, [Link(0, 1, -30, 40), Link(0, 2, 30, 40), Link(1, 4, 0, 40), Link(2, 3, 0, 40)])
    left = [each for each, _ in placed.boxes]
    assert (left[1] < left[2]) == (left[4] < left[3])


def test_a_thousand_error_routes_to_one_step_share_a_trunk() -> None:
    steps = 1000
    boxes = [Box(100, 40)] * steps
    chain = [Link(index, index + 1, 0, 40) for index in range(steps - 1)]
    errors = [Link(index, steps - 1, 30, 40, error=True) for index in range(steps - 2)]
    assert len(layout(boxes, chain + errors).segments) < 4 * steps


def test_a_trunk_is_straight_where_nothing_is_in_its_way() -> None:
    boxes = [Box(100, 40)] * 6
    chain = [Link(index, index + 1, 0, 40) for index in range(5)]
    placed = layout(boxes, [*chain, Link(0, 5, 40, 40, error=True)])
    trunk = {round(each.x2, 3) for each in placed.segments if each.error and not each.head}
    assert len(trunk) == 1


def test_the_part_of_a_trunk_that_nobody_took_is_not_marked_as_taken() -> None:
    boxes = [Box(100, 40)] * 5
    chain = [Link(index, index + 1, 0, 40) for index in range(4)]
    into = [Link(0, 4, 30, 40), Link(1, 4, 30, 40, taken=True)]
    trunk = [each for each in layout(boxes, chain + into).segments if each.x1 == each.x2 and not each.head]
    assert {each.taken for each in trunk} == {False, True}


def test_no_boxes_make_an_empty_picture() -> None:
    assert layout([], []) == Layout(0.0, 0.0, (), (), ())
