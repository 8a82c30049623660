"""What forms say by themselves: error messages that name the field, and the empty choice of a select."""

from django import forms
from django.db.models.fields import BLANK_CHOICE_DASH


def subject(field: forms.Field) -> str:
    """What an error message calls the field: its label, or "Your answer" when the label is a question."""
    label = str(field.label or "")
    return "Your answer" if not label or label.endswith("?") else label


def lower_first(text: str) -> str:
    """The text inside a sentence; "GP letter" and "I agree" keep their capitals."""
    return text if text[1:2].isupper() or text.startswith("I ") else text[:1].lower() + text[1:]


def speak_plainly(field: forms.Field) -> None:
    """Replace Django's stock error messages, where the field still has them, by sentences that name the field."""
    label, name = str(field.label or ""), subject(field)
    choosing = isinstance(field, forms.ChoiceField | forms.ModelChoiceField | forms.BooleanField)
    if label.endswith("?"):
        required = f"Answer the question “{label}”"
    elif isinstance(field, forms.BooleanField):
        required = f"Tick “{label}” to go on"
    else:
        required = f"{'Choose' if choosing or isinstance(field, forms.FileField) else 'Enter'} {lower_first(label)}"
    spoken = {
        "required": required,
        "invalid_choice": "Choose one of the options shown",
        "max_length": f"{name} must be %(limit_value)d characters or fewer",
        "min_length": f"{name} must be %(limit_value)d characters or more",
        "max_value": f"{name} must be %(limit_value)s or less",
        "min_value": f"{name} must be %(limit_value)s or more",
    }
    if isinstance(field, forms.EmailField):
        spoken["invalid"] = "Enter an email address in the correct format, like name@example.org"
    elif isinstance(field, forms.IntegerField):
        spoken["invalid"] = f"{name} must be a whole number, like 10"
    elif isinstance(field, forms.TimeField):
        spoken["invalid"] = f"{name} must be a time, like 10:30"
    stock: dict[str, str] = {}
    for cls in reversed(type(field).__mro__):
        if cls.__module__.startswith("django."):
            stock.update(getattr(cls, "default_error_messages", {}))
    for code, text in spoken.items():
        if field.error_messages.get(code) == stock.get(code):
            field.error_messages[code] = text


def name_empty_choice(field: forms.Field) -> None:
    """ "Choose" instead of Django's row of dashes."""
    dashes = BLANK_CHOICE_DASH[0][1]
    if isinstance(field, forms.ModelChoiceField):
        if field.empty_label == dashes:
            field.empty_label = "Choose"
    elif isinstance(field, forms.ChoiceField) and not isinstance(field.widget, forms.RadioSelect):
        choices = list(field.choices)  # type: ignore[arg-type]
        if choices[:1] == BLANK_CHOICE_DASH:
            field.choices = [("", "Choose"), *choices[1:]]
