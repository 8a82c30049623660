"""What is beyond weeks and money: how the cohort says it is, the onward links it was offered, and volunteering.

All three are facts about young people of the cohort. The Leaving Care Team has them whole. Stockport Homes gets counts
of answers and how many have begun to volunteer, small ones hidden, and nothing of links; nobody else gets anything.
"""

from collections.abc import Mapping
from uuid import UUID

from careleavers.questions import LATER, POINTS, QUESTIONS
from referrals.models import CommunityLink, VolunteeringOffer
from reviews import suppression, wellbeing
from reviews.community import LINK_STATES, OFFERED, LinkFigures, VolunteeringFigures
from reviews.definitions import DEFINITIONS, Definition
from reviews.figures import Figures
from reviews.models import Audience
from reviews.wellbeing import CHANGES, WellbeingFigures

ON_THE_WAY = ("asked", "not_now", "interested", "induction", "volunteering", "stopped")
WELLBEING, LINKS, NOW = ("asked", *CHANGES), "links", "now"  # what keys of people behind a number begin with


def _people(figures: Figures) -> set[UUID]:
    return figures.stages["identified"]


def wellbeing_of(figures: Figures) -> WellbeingFigures:
    return WellbeingFigures(figures.agreement.funder_id, _people(figures), figures.as_at)


def links_of(figures: Figures) -> LinkFigures:
    given = (figures.period_from, figures.period_to, figures.as_at)
    return LinkFigures(figures.agreement.funder_id, _people(figures), *given)


def volunteering_of(figures: Figures) -> VolunteeringFigures:
    return VolunteeringFigures(figures.agreement.funder_id, _people(figures), figures.as_at)


def add(frozen: dict, figures: Figures) -> dict:
    """The frozen figures with those of this module, as far as their audience may see them."""
    if frozen["audience"] == Audience.LEAVING_CARE:
        return frozen | {
            "wellbeing": wellbeing.frozen(wellbeing_of(figures)),
            "links": _links(links_of(figures)),
            "volunteering": _volunteering(volunteering_of(figures)),
        }
    if frozen["audience"] != Audience.STOCKPORT_HOMES:
        return frozen
    found, threshold = wellbeing_of(figures), frozen["threshold"]
    answers = {
        key: {point: hide(wellbeing.grouped(found, key, point), threshold) for point in POINTS} for key in QUESTIONS
    }
    return frozen | {"wellbeing": {"grouped": answers}}


def hide(counts: Mapping[str, int], threshold: int) -> dict[str, int | None]:
    """None in the place of counts that are small or would give a small one away to a reader who knows their sum: other
    questions may tell how many were asked."""
    model = suppression.Model(
        values={**counts, "asked": sum(counts.values())},
        steps=[suppression.Step("asked", suppression.ZERO, tuple(counts))],
        told=sorted(counts, key=lambda key: -counts[key]),
        guarded=set(counts),
        known=frozenset({"asked"}),
    )
    told = suppression.shown(model, threshold)
    return {key: count if key in told else None for key, count in counts.items()}


def _links(found: LinkFigures) -> dict:
    states = (OFFERED, *LINK_STATES)
    kinds = {kind: {state: counts[state] for state in states} for kind, counts in found.by_kind().items()}
    return {
        "people": {state: len(found.behind(state)) for state in states},
        "kinds": {kind: counts for kind, counts in kinds.items() if counts[OFFERED]},
    }


def _volunteering(found: VolunteeringFigures) -> dict:
    now = found.now()
    return {"begun": len(found.begun()), "now": {state: len(now.get(state, ())) for state in ON_THE_WAY}}


# -- the people behind a number ----------------------------------------------------------------------------------------


def links_key(state: str) -> str:
    return f"{LINKS}-{state}"


def now_key(state: str) -> str:
    return f"{NOW}-{state}"


def behind(figures: Figures, key: str) -> set[UUID]:
    """The young people of a key made here; KeyError for another."""
    what, _, rest = key.partition("-")
    if what in WELLBEING:
        return wellbeing_of(figures).behind(key)
    if what == LINKS and rest in (OFFERED, *LINK_STATES):
        return links_of(figures).behind(rest)
    if what == NOW and rest in ON_THE_WAY:
        return volunteering_of(figures).now().get(rest, set())
    raise KeyError(key)


def definition(key: str) -> Definition | None:
    """What a number behind such a key counts, or behind one of `DEFINITIONS`."""
    what, _, rest = key.partition("-")
    if key in DEFINITIONS or not rest:
        return DEFINITIONS.get(key)
    if what == "asked" and rest in POINTS:
        return Definition(f"Asked how they are: {POINTS[rest].name.lower()}", DEFINITIONS["asked"].counts)
    question, _, point = rest.partition("-")
    if what in CHANGES and question in QUESTIONS and point in LATER:
        name = f"{QUESTIONS[question].name}, {POINTS[point].name}: {DEFINITIONS[what].name.lower()}"
        return Definition(name, DEFINITIONS[what].counts)
    if what == LINKS and rest in (OFFERED, *LINK_STATES):
        return Definition(f"Onward links: {CommunityLink.State(rest).label.lower()}", DEFINITIONS[LINKS].counts)
    if what == NOW and rest in ON_THE_WAY:
        label = VolunteeringOffer.State(rest).label.lower()
        return Definition(f"Volunteering now: {label}", "The latest step recorded by the day")
    return None
