"""Fill the controls of one form of a finished page with what somebody had entered before (drafts.py)."""

from html import escape
from html.parser import HTMLParser

TICKED = ("radio", "checkbox")
UNTOUCHED = ("file", "password", "submit", "button", "image", "reset")


class _Filler(HTMLParser):
    """Copies a page; inside the form that is sent to `action`, values come from `fields`."""

    def __init__(self, path: str, action: str, fields: dict[str, list[str]], notice: str):
        super().__init__(convert_charrefs=False)
        self.path, self.action, self.notice = path, action, notice
        self.fields = {name: list(values) for name, values in fields.items()}
        self.out: list[str] = []
        self.inside = self.found = self.skipping = False
        self.select = ""

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            target = given.get("action") or self.path
            self.inside = not self.found and given.get("method", "").lower() == "post" and target == self.action
            if self.inside:
                self.found = True
                self.out.append(self.notice)
        text = self.get_starttag_text() or ""
        if self.inside:
            text = self._filled(tag, given, text)
        self.out.append(text)
        if self.inside and tag == "textarea" and given.get("name") in self.fields:
            self.out.append("\n" + escape(self._next(given["name"]), quote=False))
            self.skipping = True

    handle_startendtag = handle_starttag

    def _filled(self, tag: str, given: dict, text: str) -> str:
        name, kind = given.get("name") or "", (given.get("type") or "text").lower()
        if tag == "select":
            self.select = name if name in self.fields else ""
        elif tag == "option" and self.select:
            return _tag(tag, given, "selected", given.get("value", "") in self.fields[self.select])
        elif tag == "input" and kind in TICKED:
            # What was not ticked was not sent: a form that was sent says it all.
            return _tag(tag, given, "checked", (given.get("value") or "on") in self.fields.get(name, []))
        elif tag == "input" and name in self.fields and kind not in UNTOUCHED and name != "csrfmiddlewaretoken":
            return _tag(tag, given | {"value": self._next(name)})
        return text

    def _next(self, name: str) -> str:
        """Several controls of one name take their values in turn."""
        values = self.fields[name]
        return values.pop(0) if len(values) > 1 else (values or [""])[0]

    def handle_endtag(self, tag):
        if tag == "textarea":
            self.skipping = False
        elif tag == "select":
            self.select = ""
        elif tag == "form":
            self.inside = False
        self.out.append(f"</{tag}>")

    def handle_data(self, data):
        if not self.skipping:
            self.out.append(data)

    def handle_entityref(self, name):
        self.handle_data(f"&{name};")

    def handle_charref(self, name):
        self.handle_data(f"&#{name};")

    def handle_comment(self, data):
        self.out.append(f"<!--{data}-->")

    def handle_decl(self, decl):
        self.out.append(f"<!{decl}>")


def _tag(tag: str, given: dict, flag: str = "", on: bool = False) -> str:
    kept = {name: value for name, value in given.items() if name != flag}
    words = [name if value is None else f'{name}="{escape(value)}"' for name, value in kept.items()]
    return f"<{' '.join([tag, *words, *([flag] if on else [])])}>"


def refill(page: str, *, path: str, action: str, fields: dict[str, list[str]], notice: str) -> str:
    """The page with that form filled in and `notice` before it; unchanged when the form is not there any more."""
    filler = _Filler(path, action, fields, notice)
    filler.feed(page)
    filler.close()
    return "".join(filler.out) if filler.found else page
