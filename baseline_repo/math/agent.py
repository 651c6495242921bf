"""The inner loop: one document as the topic, several problems at once, at most one accepted. Standard library only."""

import json
import re
from pathlib import Path

PROMPTS = Path(__file__).parent / "prompts"
PLACE = re.compile(r"\{\{(\w+)\}\}")
KINDS = ("number", "expression", "equation", "inequality", "interval", "set", "matrix", "piecewise")
FIELDS = ("question_type", "question", "reference_answer", "answer_kind")
EXCERPT = 8_000  # characters of the document: it gives the topic, not the answer
A_ROUND = 2  # problems submitted before new ones are asked for
ALIKE = 0.8  # share of three-word pieces in common
GUESSABLE = re.compile(r"[+-]?\d+|[+-]?\d*\.\d+|.*(?:\\approx|≈|\.\.\.|\\ldots).*", re.DOTALL)
TOKEN = re.compile(r"\w+|[^\w\s]")
SENTENCES = re.compile(r"[.!?]\s+[A-Z]")
GROUPS = {
    "UNREADABLE OR UNFIT": ("screened", "malformed"),
    "FAILED QUALITY CHECK": ("quality", "unproven"),
    "TOO EASY": ("too_easy",),
    "FAILED ON STRONG": ("failed_on_strong", "unconfirmed"),
}


def create(document, env):
    """Ask from several angles at once, screen the problems, submit the promising ones; list what failed, ask again."""
    failures = []
    while env.submissions_left > 0:
        replies = env.ask(challenges(document, failures))
        for problem in promising(replies, failures)[:A_ROUND]:
            if env.submissions_left == 0:
                return
            report = env.submit(problem)
            if report["accepted"]:
                return
            failures.append((report["stage"], problem, told(report)))


def challenges(document, failures):
    """One prompt for each angle; after failures each of them lists all that failed."""
    request = fill(read("refinement.md"), failures=listed(failures)) if failures else read("first_round.md")
    return [
        fill(
            read("challenger.md"),
            name=document.name,
            document=document.text[:EXCERPT],
            angle=angle,
            request=request,
        )
        for angle in angles()
    ]


def angles():
    """The angles from which problems are asked for, one a line of angles.md that begins with a dash."""
    return [line[2:] for line in read("angles.md").splitlines() if line.startswith("- ")]


def promising(replies, failures):
    """The problems that pass the screening, the most promising first; the others are added to the failures."""
    passed = []
    for reply in replies:
        problem = task_in(reply)
        known = [one["question"] for one in passed] + [str(one.get("question")) for _, one, _ in failures]
        if reason := objection(problem, known):
            failures.append(("screened", problem, reason))
        else:
            passed.append(problem)
    return sorted(passed, key=promise, reverse=True)


def objection(problem, known):
    """Why a problem is not worth a submission; empty if it is. `known` are questions that were asked before."""
    if not all(isinstance(problem.get(field), str) and problem[field].strip() for field in FIELDS):
        return f"no JSON object with {', '.join(FIELDS)} as texts"
    if problem["answer_kind"] not in KINDS:
        return f"answer_kind is none of {', '.join(KINDS)}"
    if problem["question"].count("?") > 1:
        return "more than one question is asked"
    answer = problem["reference_answer"].strip().strip("$").strip()
    if SENTENCES.search(answer):
        return "the answer is longer than one sentence"
    if GUESSABLE.fullmatch(answer):
        return "a plain integer or a rounded number can be guessed"
    if any(alike(problem["question"], one) for one in known):
        return "it repeats an earlier problem"
    return ""


def alike(question, other):
    """Whether two questions are nearly the same text."""
    one, two = pieces(question), pieces(other)
    return len(one & two) > ALIKE * len(one | two)


def pieces(text):
    """Every three neighbouring words or signs of a text."""
    tokens = TOKEN.findall(text)
    return set(zip(tokens, tokens[1:], tokens[2:]))


def promise(problem):
    """How promising a problem is: the more quantities it defines, and the richer its answer, the harder to guess."""
    return problem["question"].count("="), len(problem["reference_answer"])


def task_in(reply):
    """The problem inside a reply; an empty one if it cannot be read."""
    try:
        task = json.loads(reply[reply.index("{") : reply.rindex("}") + 1])
    except ValueError:
        return {}
    return task if isinstance(task, dict) else {}


def told(report):
    """What a report says, in one line: how many were right, or what was wrong."""
    means = (("weak", report["weak_mean"]), ("strong", report["strong_mean"]))
    shares = [f"{name} right {mean:.0%}" for name, mean in means if mean is not None]
    return ", ".join(shares) or report["feedback"] or ", ".join(report["reasons"])


def listed(failures):
    """Every failure so far, grouped by where it ended, one a line."""
    groups = []
    for title, stages in GROUPS.items():
        rows = [describe(problem, reason) for stage, problem, reason in failures if stage in stages]
        if rows:
            groups.append("\n".join([f"### {title}", "", *rows]))
    return "\n\n".join(groups)


def describe(problem, reason):
    """One failure in one line."""
    kind = problem.get("answer_kind", "kind unknown")
    question = " ".join(str(problem.get("question", "no readable problem")).split())
    return f"- ({kind}) {question[:700]} [{' '.join(reason.split())[:300]}]"


def read(name):
    """The text of a prompt file."""
    return (PROMPTS / name).read_text("utf-8")


def fill(template, **values):
    """Put values into their {{places}} in one pass, so that nothing inside the document is taken for a place."""
    return PLACE.sub(lambda match: values.get(match[1], match[0]), template)
