"""Forms in the manner of the GOV.UK Design System: one renderer, two bases, two fields of our own.

`Renderer` is FORM_RENDERER, so every form gets the same field templates (templates/hubs/forms), allauth's included:
`{{ form }}`, `{{ field.as_field_group }}` and `{% crispy form %}` come out alike. A page with a form starts with
`{% include "parts/errors.html" %}`; each of its links reaches `BoundField.control_id`.

A width or other class goes on the widget: `forms.TextInput(attrs={"class": "govuk-input--width-10"})`; radios take
`govuk-radios--inline` or `govuk-radios--small`, checkboxes `govuk-checkboxes--small`.
`field.choice_hints = {value: "sentence"}` puts a hint under a radio button or checkbox.
"""

import calendar
import datetime
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, ButtonHolder, Layout, Submit
from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.models import ModelFormMetaclass
from django.forms.renderers import TemplatesSetting
from django.utils.functional import cached_property
from django.utils.html import format_html

from stockport_hubs.core import money
from stockport_hubs.core.form_words import name_empty_choice, speak_plainly, subject

MONTHS = {name.lower(): n for names in (calendar.month_name, calendar.month_abbr) for n, name in enumerate(names) if n}
DAY_PARTS = ("day", "month", "year")
YEARS = range(1900, 2200)  # weeks and financial years are reckoned from any day: not at the ends of time
WIDGET_CLASSES = {  # first match wins: subclasses before their parents
    forms.RadioSelect: "",
    forms.CheckboxInput: "govuk-checkboxes__input",
    forms.Select: "govuk-select",
    forms.Textarea: "govuk-textarea",
    forms.FileInput: "govuk-file-upload",
    forms.PasswordInput: "govuk-input govuk-password-input__input govuk-js-password-input-input",
    forms.NumberInput: "govuk-input govuk-input--width-5",
    forms.TimeInput: "govuk-input govuk-input--width-5",
    forms.widgets.Input: "govuk-input",
}


class BoundField(forms.BoundField):
    """A field on a page: picks its template, names the control an error link leads to."""

    def __init__(self, form, field, name):
        super().__init__(form, field, name)
        field.label = self.label
        speak_plainly(field)
        name_empty_choice(field)
        if isinstance(field.widget, forms.NumberInput):
            field.widget.input_type = "text"  # number inputs change on scrolling and hide what they refuse
            field.widget.attrs.setdefault(
                "inputmode", "numeric" if isinstance(field, forms.IntegerField) else "decimal"
            )

    @property
    def kind(self) -> str:
        """Which template of templates/hubs/forms draws it."""
        widget = self.field.widget
        if widget.is_hidden:
            return "hidden"
        if isinstance(widget, forms.RadioSelect):  # CheckboxSelectMultiple too
            return "choices"
        if isinstance(widget, forms.CheckboxInput):
            return "checkbox"
        if isinstance(widget, forms.PasswordInput):
            return "password"
        return "day" if isinstance(widget, DayInput) else "field"

    @property
    def template_name(self):
        return getattr(self.field, "template_name", None) or f"hubs/forms/{self.kind}.html"

    @property
    def optional(self) -> bool:
        """Whether the label says (optional): never on tick boxes, nor on search and filter forms."""
        return (
            not self.field.required
            and not self.field.disabled
            and self.kind != "checkbox"
            and getattr(self.form, "mark_optional", True)
        )

    @property
    def prefix(self) -> str:
        return getattr(self.field, "prefix", "")

    @property
    def most_letters(self) -> int | None:
        """How much a text of several lines may hold, shown while one types."""
        return getattr(self.field, "max_length", None) if isinstance(self.field.widget, forms.Textarea) else None

    @property
    def aria_describedby(self):
        said = super().aria_describedby
        return f"{said or ''} {self.auto_id}-info".strip() if self.most_letters else said

    @property
    def suffix(self) -> str:
        return getattr(self.field, "suffix", "")

    @cached_property
    def options(self) -> list:
        """(option, hint) of radios and checkboxes."""
        hints = getattr(self.field, "choice_hints", {})
        return [(option, hints.get(str(option.data["value"]), "")) for option in self.subwidgets]

    @property
    def is_radio(self) -> bool:
        return not isinstance(self.field.widget, forms.CheckboxSelectMultiple)

    @property
    def choices_class(self) -> str:
        """The class an author gave the widget belongs to the group, not to each button."""
        return self.field.widget.attrs.get("class", "")

    @property
    def faulty_parts(self) -> list[str]:
        """The inputs of a date that are wrong; all three when the whole is."""
        if not self.errors:
            return []
        named = [part for error in self.errors.as_data() for part in (error.code or "").split("_") if part in DAY_PARTS]
        return named or list(DAY_PARTS)

    @property
    def control_id(self) -> str:
        """The id an error link leads to: the input, the first radio or checkbox, the first wrong part of a date."""
        if self.kind == "choices" and self.subwidgets:
            return self.subwidgets[0].data["attrs"]["id"]
        if self.kind == "day":
            return f"{self.auto_id}_{(self.faulty_parts or DAY_PARTS)[0]}"
        return self.id_for_label or self.auto_id

    def build_widget_attrs(self, attrs, widget=None):
        attrs = super().build_widget_attrs(attrs, widget)
        widget = widget or self.field.widget
        attrs.pop("required", None)  # the server explains what is missing; the browser's own bubbles do not
        attrs["maxlength"] = attrs["placeholder"] = False  # nothing pasted is cut silently; labels stay visible
        if widget.is_hidden:
            return attrs
        if self.kind in ("choices", "day"):
            attrs.pop("aria-describedby", None)  # the fieldset carries it
        if self.kind == "choices":
            attrs.pop("aria-invalid", None)
            attrs["class"] = f"govuk-{'radios' if self.is_radio else 'checkboxes'}__input"
            return attrs
        if self.kind == "day":
            attrs["data-faulty"] = " ".join(self.faulty_parts)
            return attrs
        own = next((css.split() for cls, css in WIDGET_CLASSES.items() if isinstance(widget, cls)), [])
        extra = widget.attrs.get("class", "").split()
        if any("--width" in css for css in extra):
            own = [css for css in own if "--width" not in css]
        wrong = [f"{own[0]}--error"] if own and self.errors and self.kind != "checkbox" else []
        counted = ["govuk-js-character-count"] if self.most_letters else []
        attrs["class"] = " ".join([*own, *extra, *wrong, *counted])
        if isinstance(widget, forms.NumberInput):
            attrs["min"] = attrs["max"] = attrs["step"] = False  # of no meaning on a text input
        if isinstance(widget, forms.Textarea):
            attrs["cols"] = attrs["maxlength"] = False  # the count below warns and cuts nothing off
            if widget.attrs.get("rows") == "10":  # Django's default
                attrs["rows"] = "5"
        if isinstance(widget, forms.EmailInput | forms.PasswordInput):
            attrs.update({"spellcheck": "false", "autocapitalize": "none"})
        return attrs


class Renderer(TemplatesSetting):
    form_template_name = "hubs/forms/form.html"
    formset_template_name = "hubs/forms/formset.html"
    field_template_name = "hubs/forms/field.html"
    bound_field_class = BoundField


class DayInput(forms.MultiWidget):
    """Day, month and year as three inputs named NAME_day, NAME_month, NAME_year."""

    template_name = "hubs/forms/day_input.html"

    def __init__(self, attrs=None):
        super().__init__({part: forms.TextInput(attrs={"inputmode": "numeric"}) for part in DAY_PARTS}, attrs)

    def decompress(self, value):
        if isinstance(value, str):
            value = datetime.date.fromisoformat(value)
        return [value.day, value.month, value.year] if value else ["", "", ""]

    def get_context(self, name, value, attrs):
        attrs = dict(attrs or {})
        faulty = attrs.pop("data-faulty", "").split()
        context = super().get_context(name, value, attrs)
        for part, inner in zip(DAY_PARTS, context["widget"]["subwidgets"], strict=True):
            css = f"govuk-input govuk-date-input__input govuk-input--width-{4 if part == 'year' else 2}"
            inner["attrs"] |= {
                "id": f"{context['widget']['attrs'].get('id', name)}_{part}",
                "class": f"{css} govuk-input--error" if part in faulty else css,
            }
            inner["label"] = part.capitalize()
        return context


class DayField(forms.Field):
    """A date typed as day, month and year; gives a `date`. Months may be words. Posted as NAME_day, _month, _year."""

    widget = DayInput

    def to_python(self, value) -> datetime.date | None:
        if value is None or isinstance(value, datetime.date):
            return value
        if isinstance(value, str):
            value = value.split("-")[::-1]
        typed = dict(zip(DAY_PARTS, (str(part or "").strip() for part in value), strict=False))
        name = "The date" if subject(self) == "Your answer" else subject(self)
        missing = [part for part in DAY_PARTS if not typed.get(part)]
        if len(missing) == 3:
            return None
        if missing:
            raise ValidationError(f"{name} must include a {' and '.join(missing)}", code="_".join(missing))
        if not (typed["year"].isascii() and typed["year"].isdigit() and len(typed["year"]) == 4):
            raise ValidationError(f"{name} must have a year of 4 numbers, like 2021", code="year")
        month = MONTHS.get(typed["month"].lower(), typed["month"])
        try:
            day = datetime.date(int(typed["year"]), int(month), int(typed["day"]))
        except (ValueError, OverflowError):  # numbers of twenty digits fit into no date
            raise ValidationError(f"{name} must be a real date", code="unreal")
        if day.year not in YEARS:
            raise ValidationError(f"{name} must have a year from {YEARS[0]} to {YEARS[-1]}", code="year")
        return day


class PoundsField(forms.Field):
    """An amount typed in pounds; gives whole pence. `min_value` and `max_value` are pence."""

    widget = forms.TextInput
    prefix = "£"

    def __init__(self, *, min_value: int | None = 0, max_value: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.min_value, self.max_value = min_value, max_value

    def widget_attrs(self, widget):
        return {"inputmode": "decimal", "class": "govuk-input--width-5"}

    def prepare_value(self, value):
        return money.pounds(value).replace("£", "") if isinstance(value, int) else value

    def to_python(self, value) -> int | None:
        if value is None or isinstance(value, int):
            return value
        if not str(value).strip():
            return None
        try:
            return money.parse_pounds(str(value))
        except ValueError:
            raise ValidationError(f"{subject(self)} must be an amount in pounds and pence, like 3.50", code="invalid")

    def validate(self, value):
        super().validate(value)
        if value is not None and self.min_value is not None and value < self.min_value:
            raise ValidationError(f"{subject(self)} must be {money.pounds(self.min_value)} or more", code="min_value")
        if value is not None and self.max_value is not None and value > self.max_value:
            raise ValidationError(f"{subject(self)} must be {money.pounds(self.max_value)} or less", code="max_value")


class _Base:
    """What our forms share. The types: every kind of field is in `fields`, and `clean` gives what is clean."""

    use_required_attribute = False
    fields: dict[str, Any]

    def clean(self) -> dict[str, Any]:
        return super().clean() or self.cleaned_data  # type: ignore[attr-defined, misc]


class Form(_Base, forms.Form):
    """The base of our forms."""


def formfield(db_field: models.Field, **kwargs) -> forms.Field | None:
    """The form field of a model field: dates as three inputs, `*_pence` as pounds."""
    if isinstance(db_field, models.DateField) and not isinstance(db_field, models.DateTimeField):
        kwargs.setdefault("form_class", DayField)
    elif db_field.name.endswith("_pence"):
        kwargs.setdefault("form_class", PoundsField)
    return db_field.formfield(**kwargs)


class _PlainFields(ModelFormMetaclass):
    def __new__(mcs, name, bases, attrs):
        meta = attrs.get("Meta")
        if meta is not None and not hasattr(meta, "formfield_callback"):
            meta.formfield_callback = staticmethod(formfield)
        return super().__new__(mcs, name, bases, attrs)


class ModelForm(_Base, forms.ModelForm, metaclass=_PlainFields):
    """The base of our model forms: they validate, services save."""


def helper(
    *fields, submit: str = "Save", cancel: str = "", css_class: str = "", other: Submit | None = None
) -> FormHelper:
    """A crispy helper: the fields or layout objects, then a button (and another) and, given a URL, a Cancel link.

    `css_class="govuk-button--warning"` for a button that cannot be taken back.
    """
    made = FormHelper()
    buttons = [Submit("save", submit, css_class=css_class, css_id="save-button")]
    if other:
        buttons.append(other)
    if cancel:
        buttons.append(HTML(format_html('<a class="govuk-link" href="{}">Cancel</a>', cancel)))
    made.layout = Layout(*fields, ButtonHolder(*buttons))
    return made
