"""Several tagged PDFs of ours as one, still tagged: pages, bookmarks, links, reading order and header scope stay."""

import io
from collections.abc import Iterator, Sequence
from typing import Any

CREATOR = "Stockport Hubs"


def together(title: str, parts: Sequence[tuple[str, bytes]]) -> bytes:
    """(name, PDF) in the order of printing, each under a bookmark of its name. The same parts give the same bytes."""
    import pikepdf
    from pikepdf import Array, Dictionary, Name

    with pikepdf.new() as out:
        root = out.make_indirect(Dictionary(Type=Name.StructTreeRoot))
        whole = out.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Document, P=root, K=Array()))
        root.K, numbers = Array([whole]), Array()
        out.Root.StructTreeRoot = root
        with out.open_outline() as outline:
            for n, (name, content) in enumerate(parts):
                with pikepdf.open(io.BytesIO(content)) as part:
                    first = len(out.pages)
                    out.add_pages_from(part)  # and what links within it name, renamed where two use the same name
                    outline.root.append(_bookmarks(name, part, first))
                    _add_tags(out, part, list(out.pages)[first:], whole, numbers, f"{n}-")
        root.ParentTree = Dictionary(Nums=numbers)
        root.ParentTreeNextKey = len(numbers) // 2
        out.Root.MarkInfo = Dictionary(Marked=True)
        out.Root.Lang = pikepdf.String("en-GB")
        out.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
        with out.open_metadata(set_pikepdf_as_editor=False) as metadata:
            metadata["dc:title"] = title
            metadata["pdfuaid:part"] = "1"
        out.docinfo["/Title"] = title
        out.docinfo["/Creator"] = CREATOR
        made = io.BytesIO()
        out.save(made, deterministic_id=True)
    return made.getvalue()


def _bookmarks(name: str, part, first: int):
    """One bookmark for a document, and its own below."""
    from pikepdf import OutlineItem

    places = {page.objgen: first + n for n, page in enumerate(part.pages)}

    def copies(items) -> list:
        made = []
        for item in items:
            page, _, left, top, *_ = item.destination
            mine = OutlineItem(item.title, places[page.objgen], "XYZ", left=float(left), top=float(top))
            mine.children.extend(copies(item.children))
            made.append(mine)
        return made

    top = OutlineItem(name, first)
    with part.open_outline() as outline:
        top.children.extend(copies(outline.root))
    return top


def _add_tags(out, part, pages: list, whole, numbers, prefix: str) -> None:
    """The structure tree of one document below the common one: its keys of content move behind those before, and its
    names of cells get a prefix, as both are counted anew in every document."""
    import pikepdf

    theirs = out.copy_foreign(part.make_indirect(part.Root.StructTreeRoot))
    key = len(numbers) // 2
    for kid in list(theirs.K):
        kid.P = whole
        whole.K.append(kid)
        for element in _elements(kid):
            _rename(element, prefix)
    keys: dict[int, int] = {}
    for number, value in pikepdf.NumberTree(theirs.ParentTree).items():
        keys[number] = key + len(keys)
        numbers.extend([keys[number], value])
    for page in pages:
        if "/StructParents" in page:
            page.StructParents = keys[int(page.StructParents)]
        for note in page.get("/Annots", []):
            if "/StructParent" in note:
                note.StructParent = keys[int(note.StructParent)]


def _elements(element) -> Iterator[Any]:
    import pikepdf

    waiting = [element]
    while waiting:
        found = waiting.pop()
        yield found
        kids = found.get("/K")
        for kid in list(kids) if isinstance(kids, pikepdf.Array) else [kids]:
            if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
                waiting.append(kid)


def _rename(element, prefix: str) -> None:
    import pikepdf

    if "/ID" in element:
        element.ID = pikepdf.String(f"{prefix}{element.ID}")
    known = element.get("/A")
    for each in list(known) if isinstance(known, pikepdf.Array) else [known]:
        if isinstance(each, pikepdf.Dictionary) and "/Headers" in each:
            each.Headers = pikepdf.Array([pikepdf.String(f"{prefix}{name}") for name in each.Headers])
