"""Check-your-answers pages: what was typed travels on in hidden fields until it is confirmed."""

NOT_ANSWERS = ("csrfmiddlewaretoken", "step", "save")


def answers(request) -> list[tuple[str, str]]:
    """(name, value) of every posted field, for parts of a form that are not shown again."""
    return [(name, value) for name, values in request.POST.lists() if name not in NOT_ANSWERS for value in values]
