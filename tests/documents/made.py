"""Files made for tests: PDFs written by hand, pictures by Pillow."""

from __future__ import annotations

import io

from PIL import Image


def a_pdf(*pages: str, password: bool = False) -> bytes:
    """Write a PDF with a line of text a page; with `password` as one that needs one to be opened."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        drawn = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>",
            f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
        ]
    more = ""
    if password:
        # Keys that the empty password does not give.
        lock = f"<< /Filter /Standard /V 1 /R 2 /O <{'ab' * 32}> /U <{'cd' * 32}> /P -4 >>"
        objects.append(lock)
        more = f" /Encrypt {len(objects)} 0 R /ID [<{'01' * 16}> <{'01' * 16}>]"
    return _written(objects, more)


def a_picture(form: str, size: tuple[int, int]) -> bytes:
    """Paint a picture with something to see."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    into = io.BytesIO()
    image.save(into, form)
    return into.getvalue()


def _written(objects: list[str], more: str) -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n")
    places = []
    for number, told in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n{told}\nendobj\n".encode())
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.writelines(f"{place:010} 00000 n \n".encode() for place in places)
    out.write(
        f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R{more} >>\nstartxref\n{start}\n%%EOF\n".encode()
    )
    return out.getvalue()
