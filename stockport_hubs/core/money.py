"""Money is integer pence; it becomes pounds only where a person reads or types it."""

import re


def pounds(pence: int) -> str:
    """£1,234.50; minus before the pound sign."""
    sign, pence = ("-", -pence) if pence < 0 else ("", pence)
    return f"{sign}£{pence // 100:,}.{pence % 100:02d}"


def parse_pounds(text: str) -> int:
    """Pence from "3.50", "£3.50", "1,234" or "£7,575.00"; ValueError for anything else."""
    match = re.fullmatch(r"£?\s*(\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.(\d{2}))?", text.strip())
    if not match:
        raise ValueError("Enter an amount in pounds and pence, such as 3.50.")
    return int(match[1].replace(",", "")) * 100 + int(match[2] or 0)
