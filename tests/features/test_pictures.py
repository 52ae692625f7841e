"""Pictures, from folders, archives and tables to squares of pixels: what is taken, what is refused, what a pixel becomes."""

import struct
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from isthmus import IsthmusError
from isthmus.features import Look, PictureError, decode, open_gallery

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: pip install pillow")

SMALL = Look(size=8)


def encoded(image, kind="PNG", **how):
    content = BytesIO()
    image.save(content, kind, **how)
    return content.getvalue()


def plain(color=(200, 30, 10), size=(8, 8), mode="RGB"):
    return Image.new(mode, size, color)


def write(folder, names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(encoded(plain()))


def test_a_folder_is_listed_in_the_order_of_its_paths(tmp_path):
    write(tmp_path, ["b/2.PNG", "b/10.png", "a/x/1.jpg", ".hidden/1.png", "b/.2.png", "__MACOSX/b/2.png"])
    (tmp_path / "notes.txt").write_text("no picture")
    gallery = open_gallery(tmp_path)
    assert [p.id for p in gallery.pictures] == ["a/x/1.jpg", "b/10.png", "b/2.PNG"]
    assert [p.word for p in gallery.pictures] == ["x", "b", "b"]
    assert gallery.ignored == 1


def test_a_folder_and_its_archive_hold_the_same(tmp_path):
    write(tmp_path / "all", ["b/2.png", "a/1.png"])
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in ("b/2.png", "a/1.png", "b/readme.md"):
            archive.writestr(name, (tmp_path / "all" / name).read_bytes() if name.endswith("png") else b"")
    folder, packed = open_gallery(tmp_path / "all"), open_gallery(tmp_path / "all.zip")
    assert [(p.id, p.word) for p in folder.pictures] == [(p.id, p.word) for p in packed.pictures]
    with folder.reader() as one, packed.reader() as other:
        assert [one(p) for p in folder.pictures] == [other(p) for p in packed.pictures]


def test_a_table_names_paths_ids_and_words(tmp_path):
    write(tmp_path, ["1.png"])
    (tmp_path / "t.tsv").write_text("id\tpath\tword\nnull\t1.png\tdog\n7\tgone.png\tcat\n")
    gallery = open_gallery(tmp_path / "t.tsv")
    assert [(p.id, p.word, bool(p.stamp)) for p in gallery.pictures] == [("null", "dog", True), ("7", "cat", False)]
    with gallery.reader() as read, pytest.raises(PictureError, match="no such file"):
        read(gallery.pictures[1])


@pytest.mark.parametrize(
    "name", ["../x.png", "a/../../x.png", "/x.png", "C:/x.png", "C:\\x.png", "..\\x.png", "\\\\host\\x.png"]
)
def test_an_archive_with_a_path_that_climbs_out_is_refused(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("fine.png", b"")
        archive.writestr(name, b"")
    with pytest.raises(IsthmusError, match=r"needed members inside the archive's folder, got the path .*climbs out"):
        open_gallery(tmp_path / "bad.zip")


def test_places_that_cannot_be_used(tmp_path):
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04 cut short")
    (tmp_path / "t.tsv").write_text("file\nx.png\n")
    (tmp_path / "x.rar").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    zipfile.ZipFile(tmp_path / "emptyz.zip", "w").close()
    for place, message in {
        "cut.zip": "needed a whole zip", "t.tsv": "needed a column path, got file", "x.rar": "needed a folder, .zip",
        "empty": "needed pictures", "emptyz.zip": "needed pictures", "gone": "found none",
    }.items():  # fmt: skip
        with pytest.raises(IsthmusError, match=message):
            open_gallery(tmp_path / place)


def test_an_encrypted_or_damaged_member_is_one_picture_that_cannot_be_used(tmp_path):
    content = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)))
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.png", content)
    whole = (tmp_path / "x.zip").read_bytes()
    (tmp_path / "x.zip").write_bytes(whole.replace(content[100:140], bytes(40)))
    gallery = open_gallery(tmp_path / "x.zip")
    with gallery.reader() as read, pytest.raises(PictureError, match="a damaged or encrypted member"):
        read(gallery.pictures[0])


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 99])
def test_damage_of_any_compression_is_one_picture_that_cannot_be_used(tmp_path, method):
    content = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)))
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_STORED if method == 99 else method) as archive:
        archive.writestr("a.png", content)
        start, size = len(archive.filelist[0].FileHeader()), archive.filelist[0].compress_size
    whole = bytearray((tmp_path / "x.zip").read_bytes())
    if method == 99:  # WinZip's own encryption, which Python does not know: both headers say so
        for at in (8, whole.rindex(b"PK\x01\x02") + 10):
            whole[at : at + 2] = (99).to_bytes(2, "little")
    else:
        whole[start + 9 : start + size] = b"\xff" * (size - 9)
    (tmp_path / "x.zip").write_bytes(bytes(whole))
    gallery = open_gallery(tmp_path / "x.zip")
    with gallery.reader() as read, pytest.raises(PictureError, match="a damaged or encrypted member"):
        read(gallery.pictures[0])


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero on this system")
def test_a_line_that_names_a_device_a_folder_or_too_large_a_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("isthmus.features._gallery.LARGEST_FILE", 100)
    (tmp_path / "large.png").write_bytes(bytes(101))
    (tmp_path / "t.tsv").write_text("path\n/dev/zero\n.\nlarge.png\n")
    gallery = open_gallery(tmp_path / "t.tsv")
    with gallery.reader() as read:
        for picture, message in zip(gallery.pictures, ("no file", "no file", "more than 100 bytes"), strict=True):
            with pytest.raises(PictureError, match=message):
                read(picture)


def test_every_kind_of_picture_becomes_three_channels():
    color, look = np.array([200, 30, 10]), SMALL
    assert (decode(encoded(plain()), look) == color).all()
    assert (decode(encoded(plain((200, 30, 10, 0), mode="RGBA")), look) == 255).all()  # transparent: the white behind
    assert (abs(decode(encoded(plain((200, 30, 10, 128), mode="RGBA")), look) - (color * 128 + 255 * 127) / 255) <= 1).all()
    assert (decode(encoded(plain(90, mode="L")), look) == 90).all()
    assert (decode(encoded(plain((90, 0), mode="LA")), look) == 255).all()
    assert (decode(encoded(plain(1, mode="1")), look) == 255).all()
    assert (decode(encoded(Image.fromarray(np.full((8, 8), 90 * 256 + 7, dtype=np.uint16))), look) == 90).all()
    palette = plain().quantize(4)
    assert (decode(encoded(palette), look) == color).all()
    index = palette.getpixel((0, 0))
    assert (decode(encoded(palette, transparency=index), look) == 255).all()
    frames = [plain(90, mode="L"), plain(200, mode="L")]
    assert (decode(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), look) == 90).all()
    assert abs(decode(encoded(plain((0, 0, 0, 0), mode="CMYK"), "TIFF"), look).astype(int) - 255).max() <= 1


def test_a_picture_is_turned_as_its_exif_says():
    image = Image.fromarray(np.repeat(np.arange(64, dtype=np.uint8).reshape(8, 8)[:, :, None], 3, axis=2))
    exif = image.getexif()
    exif[0x0112] = 6  # the camera was turned: rotate by 270 degrees to see it upright
    turned = decode(encoded(image, exif=exif), SMALL)
    np.testing.assert_array_equal(turned, np.rot90(np.asarray(image), -1))


def test_padding_keeps_all_of_a_picture_and_cropping_its_middle():
    wide = np.zeros((20, 40, 3), dtype=np.uint8)
    wide[:, 10:30] = 100
    content = encoded(Image.fromarray(wide))
    padded = decode(content, Look(size=40))
    assert (padded[:10] == 255).all()
    np.testing.assert_array_equal(padded[[9, 30]], 255)
    assert (padded[20, 18:22] == 100).all()
    assert (padded[20, :5] == 0).all()
    cropped = decode(content, Look(size=20, fit="crop"))
    np.testing.assert_array_equal(cropped, wide[:, 10:30])
    assert decode(content, Look(size=10, fit="crop", crop=0.5)).shape == (10, 10, 3)


def bomb(width, height):
    """A PNG of a few bytes whose header claims the size."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no picture"),
        (b"<html>not found</html>", "no picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", "no picture"),  # would start Ghostscript
        (bomb(100_000, 100_000), "decompression bomb"),
        (bomb(10_000, 10_000), "decompression bomb"),
        (bomb(60_000, 1), "100 times as long as wide"),
        (bomb(50, 50), "damaged picture"),
    ],
)  # fmt: skip
def test_bytes_that_are_no_picture_or_a_trap(content, reason):
    with pytest.raises(PictureError, match=reason):
        decode(content, SMALL)


def test_a_picture_cut_anywhere_is_refused_or_whole():
    content = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (30, 30, 3), dtype=np.uint8)), "JPEG")
    for end in range(0, len(content) - 2, 37):
        with pytest.raises(PictureError):
            decode(content[:end], SMALL)
