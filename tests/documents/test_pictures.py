"""Pictures made small, upright and silent about where they come from."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from bot.documents.pictures import MOST_BYTES, MOST_SIDE, shrink
from tests.documents.made import a_picture


def seen(data: bytes) -> Image.Image:
    told, picture = shrink(data)
    assert "note" not in told, told
    return Image.open(io.BytesIO(picture))


def packed(image: Image.Image, form: str, **options: object) -> bytes:
    into = io.BytesIO()
    image.save(into, form, **options)
    return into.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_pictures_of_each_kind_are_made_small(form: str) -> None:
    told, picture = shrink(a_picture(form, (3_136, 300)))
    assert Image.open(io.BytesIO(picture)).size == (MOST_SIDE, 150)
    assert told["media_type"] == ("image/jpeg" if form == "JPEG" else "image/png")
    assert told["tokens"] == MOST_SIDE * 150 // 1_000


def test_a_small_picture_stays_as_large_as_it_is() -> None:
    assert seen(a_picture("PNG", (30, 20))).size == (30, 20)


def test_a_noisy_picture_is_under_a_megabyte() -> None:
    noise = Image.effect_noise((1_600, 1_000), 90).convert("RGB")
    assert len(shrink(packed(noise, "JPEG", quality=95))[1]) <= MOST_BYTES


def test_a_photo_stands_upright_and_tells_nothing_of_where_it_was_taken() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010F] = "SecretCamera"
    photo = Image.new("RGB", (300, 100), "red")
    for form in ("JPEG", "PNG", "WEBP"):
        data = packed(photo, form, exif=exif)
        assert b"SecretCamera" in data
        small = seen(data)
        assert small.size == (100, 300)
        assert not small.getexif()
        assert b"SecretCamera" not in shrink(data)[1]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "CMYK", "I;16", "RGB"])
def test_every_mode_of_points_can_be_shown(mode: str) -> None:
    image = Image.new(mode, (20, 20))
    assert seen(packed(image, "JPEG" if mode == "CMYK" else "PNG")).size == (20, 20)


def test_what_is_clear_is_shown_on_white() -> None:
    shown = seen(packed(Image.new("RGBA", (20, 20), (0, 0, 0, 0)), "PNG"))
    assert shown.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_of_an_animation_the_first_frame_is_shown() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    data = packed(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert seen(data).convert("RGB").getpixel((5, 5)) == (255, 0, 0)


def test_a_bomb_is_told_from_its_header() -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(4_000_000))
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    assert shrink(bomb) == ({"note": "file-picture-huge"}, b"")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_half_a_picture_is_said_to_be_broken(form: str) -> None:
    noise = Image.effect_noise((200, 200), 90).convert("RGB")
    whole = packed(noise, form)
    assert shrink(whole[: len(whole) // 2])[0] == {"note": "file-broken"}


def test_what_is_no_picture_is_said_to_be_none() -> None:
    assert shrink(b"\x89PNG\r\n\x1a\nnothing")[0]["note"] in {"file-other", "file-broken"}
    assert shrink(packed(Image.new("RGB", (9, 9)), "TIFF"))[0]["note"] == "file-other"
