"""Makes a picture small, upright and free of what its camera wrote; runs in a process of its own."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

# Larger sides are made smaller by the models' servers anyway.
MOST_SIDE = 1_568
MOST_BYTES = 2**20
_MOST_POINTS = 60_000_000
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
# What seeing a picture costs is counted differently everywhere; this is between the vendors' rules.
_POINTS_A_TOKEN = 1_000


def shrink(data: bytes) -> tuple[dict[str, object], bytes]:
    """Make it small; of an animation the first frame."""
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None  # looked at below, before a point is decoded
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            if image.width * image.height > _MOST_POINTS:
                return {"note": "file-picture-huge"}, b""
            small, photo = _small(image), image.format == "JPEG"
    except UnidentifiedImageError:
        return {"note": "file-other"}, b""
    except (OSError, SyntaxError, ValueError, MemoryError):  # what Pillow raises for broken pictures
        return {"note": "file-broken"}, b""
    media_type, packed = _packed(small, photo=photo)
    tokens = max(small.width * small.height // _POINTS_A_TOKEN, 85)
    return {"media_type": media_type, "tokens": tokens}, packed


def _small(image: Image.Image) -> Image.Image:
    image.draft("RGB", (MOST_SIDE, MOST_SIDE))  # a JPEG is then decoded at an eighth, a quarter or half
    clear = image.has_transparency_data
    whole = image if image.mode in {"RGB", "RGBA", "L"} else image.convert("RGBA" if clear else "RGB")
    whole.thumbnail((MOST_SIDE, MOST_SIDE))  # before all else, which copies it
    small = ImageOps.exif_transpose(whole).convert("RGBA" if clear else "RGB")
    if clear:  # on white, as people see it
        ground = Image.new("RGBA", small.size, "white")
        small = Image.alpha_composite(ground, small).convert("RGB")
    small.info.clear()
    return small


def _packed(image: Image.Image, *, photo: bool) -> tuple[str, bytes]:
    """Pack without loss where that is small enough, since letters on a screen suffer most."""
    if not photo and len(packed := _saved(image, "PNG")) <= MOST_BYTES // 2:
        return "image/png", packed
    for quality in (85, 70, 50, 30):
        packed = _saved(image, "JPEG", quality=quality)
        if len(packed) <= MOST_BYTES:
            break
    return "image/jpeg", packed


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    into = io.BytesIO()
    image.save(into, form, **options)
    return into.getvalue()
