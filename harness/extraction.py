"""The extractor: reads a document before anything is spent on it. Can a task be made of it, and what is in it?"""

from harness.judge import boundary_of
from harness.measuring import measure, user
from harness.parsing import parse
from harness.place import Place
from harness.prompting import render
from harness.trajectory import Extraction
from harness.types import Document, Draw, Request


async def extract(place: Place, document: Document, draw: Draw) -> Extraction | None:
    """What the domain's extractor finds, with the verifier's model; None for a domain that has none.

    Raises:
        InvalidMeasurement: it gave no usable answer.
    """
    domain = place.instrument.domain
    if (form := domain.extraction) is None:
        return None
    edge = boundary_of(document.text)
    prompt = render(domain.prompt("extractor.md"), boundary=edge, document=document.text)
    request = Request("verifier", user(prompt), draw, schema=form)
    found, reply = await measure(place.models, request, lambda text: parse(text, form))
    facts = found.model_dump(mode="json")
    suitable, note = bool(facts.pop("suitable")), str(facts.pop("note"))
    return Extraction(suitable=suitable, note=note, facts=facts, calls=(reply.key,))
