"""Writes PDF files for tests: pages of lines in one font, and what can be wrong with a PDF."""

import zlib
from pathlib import Path


def write_pdf(path: Path, pages: list[list[str]]) -> Path:
    """A PDF with these lines on its pages, from top to bottom."""
    return write_streams(path, [content(lines) for lines in pages])


def content(lines: list[str]) -> bytes:
    """Operators that show the lines, 14 points apart."""
    shown = [f"({line.translate({40: '[', 41: ']', 92: '/'})}) Tj T*" for line in lines]
    return "\n".join(["BT /F1 11 Tf 14 TL 60 780 Td", *shown, "ET"]).encode("latin-1")


def write_streams(path: Path, streams: list[bytes], unpacked: bool = True) -> Path:
    """A PDF whose pages have these content streams; those that are not `unpacked` are deflated already."""
    kids = " ".join(f"{4 + 2 * at} 0 R" for at in range(len(streams)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(streams)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    filtered = b"" if unpacked else b" /Filter /FlateDecode"
    for at, stream in enumerate(streams):
        media = b"/MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >>"
        objects.append(b"<< /Type /Page /Parent 2 0 R %s /Contents %d 0 R >>" % (media, 5 + 2 * at))
        objects.append(b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(stream), filtered, stream))
    return write_objects(path, objects)


def write_objects(path: Path, objects: list[bytes], trailer: bytes = b"") -> Path:
    """Numbered objects, their table and the trailer."""
    body, places = bytearray(b"%PDF-1.7\n"), list[int]()
    for number, one in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    end = (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R %s>>\nstartxref\n%d\n%%%%EOF\n"
    )
    path.write_bytes(bytes(body) + end % (size, table, size, trailer, len(body)))
    return path


def write_encrypted(path: Path) -> Path:
    """A PDF that opens with a password only that nobody has."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [] /Count 0 >>",
        b"<< /Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O <%s> /U <%s> >>" % (b"17" * 32, b"2a" * 32),
    ]
    return write_objects(path, objects, b"/Encrypt 3 0 R /ID [<00> <00>] ")


def deflated_bomb(megabytes: int) -> bytes:
    """A content stream of blanks that unpacks to that many megabytes, made of one block that is repeated."""
    packer = zlib.compressobj(9)
    head = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * megabytes


def write_nested_forms(path: Path, depth: int, breadth: int) -> Path:
    """A page whose drawing takes breadth ** depth steps."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources << /XObject << /X 5 0 R >> >> /Contents 4 0 R >>",
        b"<< /Length 5 >>\nstream\n/X Do\nendstream",
    ]
    drawn = b"/X Do\n" * breadth
    for number in range(5, 5 + depth):
        inner = b"/XObject << /X %d 0 R >>" % (number + 1) if number < 4 + depth else b""
        head = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << %s >>" % inner
        objects.append(b"<< %s /Length %d >>\nstream\n%s\nendstream" % (head, len(drawn), drawn))
    return write_objects(path, objects)
