"""Charts: geometry of plain numbers, and SVG that a screen reader, a strict page and a grey printer can take."""

import re
from xml.etree import ElementTree

import pytest

from stockport_hubs.charts import shapes
from stockport_hubs.charts.templatetags.charts import chart

SVG = "{http://www.w3.org/2000/svg}"
SHAPES = {
    "bars": shapes.bars("75 identified, 51 joined.", [("Identified", 75), ("Joined", 51), ("Retained", 0)], 75),
    "no bars": shapes.bars("Nothing yet.", []),
    "columns": shapes.columns(
        "Week by week.", [("6 Apr", 50, 40), ("13 Apr", 51, 0)], behind_name="Could come", front_name="Came"
    ),
    "no columns": shapes.columns("No weeks.", [], behind_name="Could come", front_name="Came"),
    "two years": shapes.columns(
        "Two years.", [(f"{n} Apr", 75, n % 75) for n in range(104)], behind_name="Could come", front_name="Came"
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_svg_says_its_sentence_in_real_text_without_inline_style(name):
    shape = SHAPES[name]
    drawn = ElementTree.fromstring(chart(shape))
    assert (drawn.get("role"), drawn[0].tag, drawn[0].text) == ("img", f"{SVG}title", shape.sentence)
    assert {element.tag.removeprefix(SVG) for element in drawn.iter()} <= {"svg", "title", "text", "rect", "line"}
    assert [element for element in drawn.iter() if "style" in element.attrib or "class" in element.attrib] == []


def test_a_bar_is_as_long_as_its_share_of_the_total():
    made = SHAPES["bars"]
    assert [(bar.label, bar.value, round(bar.width / made.full, 2)) for bar in made.bars] == [
        ("Identified", "75", 1.0),
        ("Joined", "51", 0.68),
        ("Retained", "0", 0.0),
    ]


def test_a_column_is_as_high_as_its_count_on_the_scale():
    made = SHAPES["columns"]
    per_person = (made.floor - made.ticks[-1][0]) / made.ticks[-1][2]
    heights = [(round(each.behind / per_person), round(each.front / per_person)) for each in made.columns]
    assert heights == [(50, 40), (51, 0)]


@pytest.mark.parametrize(
    "largest, steps",
    [(1, [0, 1]), (5, [0, 1, 2, 3, 4, 5]), (6, [0, 2, 4, 6]), (51, [0, 20, 40, 60]), (75, [0, 20, 40, 60, 80])],
)
def test_the_scale_goes_in_round_steps(largest, steps):
    assert shapes.scale(largest) == steps


def test_labels_are_thinned_until_they_fit():
    labels = [each.label for each in SHAPES["two years"].columns if each.label]
    assert 0 < len(labels) <= 12


def test_words_of_people_are_escaped():
    drawn = chart(shapes.bars("<script>alert(1)</script>", [("<img src=x>", 1)]))
    assert "<script>" not in drawn and "<img" not in drawn


def test_dark_and_light_differ_in_grey():
    def grey(colour: str) -> float:
        red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
        return (0.299 * red + 0.587 * green + 0.114 * blue) / 255

    fills = re.findall(r'<rect[^>]*fill="(#\w{6})"', chart(SHAPES["columns"]))
    behind, front = fills[0], fills[1]
    assert grey(behind) - grey(front) > 0.5
