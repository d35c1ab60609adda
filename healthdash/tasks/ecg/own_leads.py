"""What a report of signals asks beside: leads, short rhythms, codes that belong together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from healthdash.datasets.items import Items
from healthdash.datasets.listing import LABEL
from healthdash.datasets.report import ItemFinding
from healthdash.datasets.steps import ItemStep, TakeLeads
from healthdash.tables.findings import Finding, Remedy
from healthdash.tables.steps import JoinValues

from .beat_codes import AAMI

__all__ = ["QUESTIONS", "chosen_leads", "leads_of", "questions_of_leads"]


def leads_of(items: Items) -> tuple[str, ...]:
    """Return the leads that all recordings of the items have, in the order of the first; maybe none."""
    found = _leads(items)
    shared = set.intersection(*(set(leads) for leads in found)) if found else set()
    return tuple(lead for lead in (found[0] if found else ()) if lead in shared)


def chosen_leads(items: Items, steps: tuple[ItemStep, ...]) -> tuple[str, ...]:
    """Return the leads that a step names, else those that all recordings share."""
    named = [step.leads for step in steps if isinstance(step, TakeLeads)]
    return named[-1] if named else leads_of(items)


def questions_of_leads(items: Items) -> Iterator[ItemFinding]:
    """Yield what is to be said of leads, and of the codes of beats."""
    found = _leads(items)
    shared = leads_of(items)
    counted = Counter(lead for leads in found for lead in set(leads))
    if found and not shared:
        lead = min(counted, key=lambda name: (-counted[name], name))
        count = counted[lead]
        words = f"No lead is in all recordings; {lead} is in {count:,} of {len(found):,}."
        take = Remedy(f"Take {lead}, and leave the others out", (TakeLeads(leads=(lead,)),), True)
        yield Finding("no-shared-lead", "error", words, (), (take,))
    elif len(counted) > len(shared):
        words = (
            f"Leads that all recordings share are used: {', '.join(shared)}. Not used: "
            f"{', '.join(sorted(set(counted) - set(shared))[:20])}."
        )
        yield Finding("leads-not-shared", "note", words)
    labels = set(items.frame[LABEL])
    if items.unit == "beat" and len(labels & set(AAMI)) > len({AAMI[one] for one in labels & set(AAMI)}):
        joined = {one: AAMI[one] for one in sorted(labels & set(AAMI)) if AAMI[one] != one}
        words = "Codes of beats can be joined to the groups N, S, V, F and Q of ANSI/AAMI EC57."
        join = Remedy("Join them", (JoinValues(column=LABEL, values=joined),))
        yield Finding("codes", "note", words, (LABEL,), (join,))


def _leads(items: Items) -> list[tuple[str, ...]]:
    used = np.unique(items.files[items.files >= 0])
    return [items.survey.leads[number] for number in used if items.survey.leads[number]]


QUESTIONS = (questions_of_leads,)
