"""What a month's statement says: a line for each member, totals, the pool of credit, and what was entered since.

Money is read from the journal by the ids of its lines, use from paid weeks. A line of the journal belongs to the first
statement that was closed after it and whose month holds its day or a later one: so a closed month keeps what it says,
and what is entered late for it stands in the next one as a prior-period line. The number of queries is fixed, whatever
the number of members.
"""

from pantry.statements.counting import lines, totals
from pantry.statements.lines import Line
from pantry.statements.scope import Scope, members_of, members_since, scope, since
from pantry.statements.shown import Pool, Shown, show

__all__ = ["Line", "Pool", "Scope", "Shown", "lines", "members_of", "members_since", "scope", "show", "since", "totals"]
