"""Prices: the list per pantry, proposing, agreeing or sending back, taking back."""

from datetime import timedelta

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse

from pantry import directory
from pantry.forms.tariffs import AgreeForm, TariffForm
from pantry.models import Pantry, Tariff, TopUp
from pantry.services import tariffs as services
from pantry.services import top_ups
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock, money, weeks
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator

PAGE = 25


@roles(Role.FINANCE_OFFICER, Role.LEAVING_CARE_MANAGER, Role.PANTRY_MANAGER)
def tariffs(request):
    """What waits for the finance officer, then every price of each pantry."""
    waiting = (
        Tariff.objects.for_user(request.user)
        .awaiting_agreement()
        .select_related("pantry", "proposed_by")
        .order_by("from_week", "pantry__name")
    )
    people = ("tariffs__proposed_by", "tariffs__agreed_by", "tariffs__sent_back_by")
    page = Paginator(Pantry.objects.for_user(request.user).prefetch_related(*people), PAGE).get_page(
        request.GET.get("page")
    )
    today = clock.today()
    rows = [{"pantry": p, "tariffs": directory.tariff_states(list(p.tariffs.all()), today)} for p in page]
    context = {
        "waiting": Paginator(waiting, PAGE).get_page(request.GET.get("waiting")),
        "page_obj": page,
        "rows": rows,
        "agrees": request.user.role == Role.FINANCE_OFFICER,
        "proposes": request.user.role == Role.PANTRY_MANAGER,
    }
    return render(request, "pantry/tariff_list.html", context)


@roles(Role.PANTRY_MANAGER)
def tariff_propose(request, pantry_id):
    """A new price for one pantry."""
    shown, today = get_or_404(Pantry.objects.for_user(request.user), pk=pantry_id), clock.today()
    price = directory.in_force(directory.tariff_states(list(shown.tariffs.all()), today))
    this_monday = weeks.monday(today)
    next_monday = this_monday + timedelta(days=7)
    form = TariffForm(
        request.POST if request.method == "POST" else None,
        cancel=reverse("pantry:pantry", args=[shown.pk]),
        week_hint=(
            f"This week’s Monday is {this_monday:%-d %B %Y}, the next {next_monday:%-d %B %Y}."
            if price
            else "The first price of a pantry may start on any Monday, also one that has passed."
        ),
        initial={
            "weekly_pence": price.weekly_pence if price else None,
            "joining_pence": price.joining_pence if price else None,
            "food_value_pence": price.food_value_pence if price else 2000,
            "from_week": next_monday,
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.propose_tariff(pantry=shown, by=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as why:
            form.add_error("from_week", str(why))
        else:
            messages.success(request, "The price is proposed. It counts once a finance officer has agreed it.")
            return redirect("pantry:pantry", shown.pk)
    return render(request, "pantry/tariff_propose.html", {"form": form, "pantry": shown, "price": price})


@roles(Role.FINANCE_OFFICER)
def tariff_agree(request, tariff_id):
    """The proposal beside the price in force, and the finance officer's answer."""
    found = Tariff.objects.for_user(request.user).select_related(
        "pantry__operator", "proposed_by", "agreed_by", "sent_back_by"
    )
    tariff, today = get_or_404(found, pk=tariff_id), clock.today()
    of_pantry = directory.tariff_states(list(tariff.pantry.tariffs.all()), today)
    shown = next(t for t in of_pantry if t.pk == tariff.pk)
    form = AgreeForm(request.POST if request.method == "POST" else None, cancel=reverse("pantry:tariffs"))
    if request.method == "POST" and form.is_valid():
        done = {"tariff": tariff, "by": request.user, "at": clock.now()}
        try:
            if form.cleaned_data["answer"] == AgreeForm.AGREE:
                services.agree_tariff(**done)
                said = f"The price of {tariff.pantry} from {tariff.from_week:%-d %B %Y} is agreed."
                for line in _paid(tariff, request.user):
                    said += f" Topped up under {line['agreement']}: {line['weeks']}, {money.pounds(line['pence'])}."
            else:
                services.send_back_tariff(reason=form.cleaned_data["reason"], **done)
                said = f"The price of {tariff.pantry} went back to the pantry manager."
        except Refused as why:
            messages.error(request, str(why))
        else:
            messages.success(request, said)
        return redirect("pantry:tariffs")
    waits = shown.state == "waiting"
    rises = top_ups.rises(tariff, today) if waits else []
    context = {
        "form": form if waits else None,
        "raised": _costs(rises, request.user) if waits else _paid(tariff, request.user),
        "why_not": top_ups.why_not(rises, by=request.user, on=today),
        "tariff": tariff,
        "label": shown.label,
        "colour": shown.colour,
        "price": directory.in_force(of_pantry),
        "comparison": _comparison(directory.in_force(of_pantry), tariff),
    }
    return render(request, "pantry/tariff_agree.html", context)


def _costs(rises: list[top_ups.Rise], user: User) -> list[dict]:
    """What agreeing costs the agreements of one's own council."""
    own = [each for each in rises if each.agreement.funder_id == user.organisation_id]
    return [
        {"weeks": top_ups.said_weeks(each.weeks, each.members), "pence": each.pence, "agreement": each.agreement}
        for each in own
    ]


def _paid(tariff: Tariff, user: User) -> list[dict]:
    """What it has cost them."""
    made = TopUp.objects.for_user(user).filter(tariff=tariff).select_related("agreement").counted()
    return [
        {"weeks": top_ups.said_weeks(each.n_weeks, each.n_members), "pence": each.pence, "agreement": each.agreement}
        for each in made
    ]


def _comparison(now: Tariff | None, then: Tariff) -> list[tuple[str, int | None, int]]:
    """(what, pence in force, pence proposed)."""

    def pence(tariff: Tariff) -> tuple[int, int, int, int]:
        return (tariff.weekly_pence, tariff.joining_pence, 26 * tariff.weekly_pence, tariff.food_value_pence)

    names = ("Charge a week", "Joining fee", "Block of 26 weeks", "A week’s items are worth about")
    return list(zip(names, pence(now) if now else (None,) * 4, pence(then), strict=True))


@roles(Role.PANTRY_MANAGER)
def tariff_take_back(request, tariff_id):
    """The pantry manager takes a proposal back while it waits; asked first."""
    tariff = get_or_404(Tariff.objects.for_user(request.user).select_related("pantry"), pk=tariff_id)
    if request.method == "POST":
        try:
            services.take_back_tariff(tariff=tariff, by=request.user, at=clock.now())
        except Refused as why:
            messages.error(request, str(why))
        else:
            messages.success(request, "The proposal is taken back. You can propose another price.")
        return redirect("pantry:pantry", tariff.pantry_id)
    consequence = (
        f"{money.pounds(tariff.weekly_pence)} a week from {tariff.from_week:%-d %B %Y} is no longer put to the finance "
        "officer. You can propose another price afterwards."
    )
    context = {"tariff": tariff, "consequence": consequence}
    return render(request, "pantry/tariff_take_back.html", context)
