"""The entries of a matrix, also of one that is a sum, a product or a multiple of others."""

from harness.answers.kinds.meaning import arithmetic, label
from harness.answers.tree import Node, Unreadable, add, divide, mul, number

Rows = tuple[tuple[Node, ...], ...]

LARGEST_POWERED = 3
POWERS = (-1, 1, 2, 3)


def rows(node: Node) -> Rows:
    """The entries of a matrix, row by row; sums, products and multiples of matrices are worked out.

    Raises:
        Unreadable: it is no matrix, or the sizes do not fit.
    """
    if label(node) is not None:
        return rows(node.args[1])
    if node.head == "matrix":
        return tuple(tuple(arithmetic(one) for one in row.args) for row in node.args)
    if node.head == "bracket" and all(one.head == "bracket" for one in node.args):
        found = tuple(tuple(arithmetic(one) for one in row.args) for row in node.args)
        if len({len(row) for row in found}) != 1:
            raise Unreadable("the rows of the matrix are not of one length")
        return found
    if node.head == "bracket" and len(node.args) == 1:
        return rows(node.args[0])
    if node.head == "call" and node.name == "transpose":
        return tuple(zip(*rows(node.args[0]), strict=True))
    if node.head == "call" and node.name == "diag":
        return _diagonal(tuple(arithmetic(one) for one in node.args))
    if node.head == "pow" and is_matrix(node.args[0]):
        return _power(rows(node.args[0]), node.args[1])
    if node.head == "add":
        return _sum([rows(one) for one in node.args])
    if node.head == "mul":
        return _multiple(node)
    raise Unreadable("it is no matrix")


def is_matrix(node: Node) -> bool:
    """Whether there is a matrix in it."""
    brackets = node.head == "bracket" and all(one.head == "bracket" for one in node.args)
    diagonal = node.head == "call" and node.name == "diag"
    return node.head == "matrix" or brackets or diagonal or any(is_matrix(one) for one in node.args)


def _sum(terms: list[Rows]) -> Rows:
    if len({(len(one), len(one[0])) for one in terms}) != 1:
        raise Unreadable("matrices of different sizes are added")
    return tuple(
        tuple(add(*entries) for entries in zip(*lines, strict=True)) for lines in zip(*terms, strict=True)
    )


def _multiple(node: Node) -> Rows:
    factors = [rows(one) for one in node.args if is_matrix(one)]
    scale = [arithmetic(one) for one in node.args if not is_matrix(one)]
    if not factors:
        raise Unreadable("it is no matrix")
    found = factors[0]
    for other in factors[1:]:
        found = _product(found, other)
    return tuple(tuple(mul(*scale, entry) if scale else entry for entry in row) for row in found)


def _product(one: Rows, other: Rows) -> Rows:
    if len(one[0]) != len(other):
        raise Unreadable("matrices that do not fit are multiplied")
    columns = tuple(zip(*other, strict=True))
    return tuple(
        tuple(add(*(mul(a, b) for a, b in zip(row, column, strict=True))) for column in columns)
        for row in one
    )


def _diagonal(entries: tuple[Node, ...]) -> Rows:
    size = range(len(entries))
    return tuple(tuple(entries[i] if i == j else number(0) for j in size) for i in size)


def _power(base: Rows, exponent: Node) -> Rows:
    times = exponent.value if exponent.head == "num" else 0
    if len(base) != len(base[0]) or len(base) > LARGEST_POWERED or times not in POWERS:
        raise Unreadable("this power of a matrix is not worked out")
    if times == -1:
        return _inverse(base)
    found = base
    for _ in range(int(times) - 1):
        found = _product(found, base)
    return found


def _inverse(base: Rows) -> Rows:
    whole = _determinant(base)
    size = range(len(base))
    return tuple(tuple(divide(_cofactor(base, j, i), whole) for j in size) for i in size)


def _cofactor(base: Rows, i: int, j: int) -> Node:
    if len(base) == 1:
        return number(1)
    minor = tuple(row[:j] + row[j + 1 :] for k, row in enumerate(base) if k != i)
    return mul(number((-1) ** (i + j)), _determinant(minor))


def _determinant(base: Rows) -> Node:
    if len(base) == 1:
        return base[0][0]
    return add(*(mul(entry, _cofactor(base, 0, j)) for j, entry in enumerate(base[0])))
