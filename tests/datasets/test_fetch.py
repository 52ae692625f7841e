"""Fetching from a server that does everything wrong: what lies under a file's name is whole and verified, or nothing is there."""

import errno
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from isthmus import IsthmusError
from isthmus.datasets import Patience, RemoteFile, Source, _download, _fetch, download, fetch, source, sources, unpack

CONTENT = np.random.default_rng(0).bytes(200_000)
SUM = hashlib.sha256(CONTENT).hexdigest()
QUICK = Patience(timeout=0.3, attempts=3, pause=0.001)


class Get:
    """Download to a folder without waiting, and remember how long it would have waited."""

    def __init__(self, folder):
        self.path, self.waits = folder / "set.bin", []

    def __call__(self, url, **options):
        return download(url, self.path, **({"patience": QUICK, "sleep": self.waits.append} | options))


@pytest.fixture
def get(tmp_path):
    return Get(tmp_path)


def only(folder, *names):
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)


@pytest.mark.parametrize("pinned", [SUM, None])
@pytest.mark.parametrize(
    "faults",
    [
        [],
        [("cut", 70_000)],
        [("cut", 0), ("cut", 1), ("cut", 100_000)],
        [("stall", 50_000)],
        [("status", 503), ("status", 500), ("cut", 10)],
        [("cut", 150_000), ("shift", 3)],
        [("chunks", 3)],
        [("chunks", 2)],
    ],
)
def test_what_breaks_off_goes_on_where_it_was(server, get, faults, pinned):
    seen = []
    assert get(server.add("/a.bin", CONTENT, *faults), sha256=pinned, progress=lambda *now: seen.append(now)) == SUM
    assert get.path.read_bytes() == CONTENT
    only(get.path.parent, "set.bin")
    assert seen[-1][:2] == ("set.bin", len(CONTENT))
    if faults == [("cut", 70_000)]:
        assert [asked for _, asked, _ in server.seen] == [None, "bytes=70000-"]
    if faults and faults[0] == ("status", 503):
        assert get.waits[0] == 7


def test_a_server_that_knows_no_ranges_sends_it_again(server, get):
    server.ranges = False
    assert get(server.add("/a.bin", CONTENT, ("cut", 70_000), ("cut", 90_000)), sha256=SUM) == SUM


def test_without_a_version_only_a_pinned_file_is_resumed(server, get):
    server.versions = False
    get(server.add("/a.bin", CONTENT, ("cut", 70_000)))
    get.path.unlink()
    get(server.add("/a.bin", CONTENT, ("cut", 70_000)), sha256=SUM)
    assert [asked for _, asked, _ in server.seen] == [None, None, None, "bytes=70000-"]


@pytest.mark.parametrize("versions", [True, False])
def test_two_versions_of_a_file_are_never_joined(server, get, versions):
    server.versions = versions
    other = CONTENT[::-1]
    assert get(server.add("/a.bin", other, ("cut", 70_000), ("change", CONTENT)), sha256=SUM) == SUM
    assert get.path.read_bytes() == CONTENT
    get.path.unlink()
    get(server.add("/a.bin", CONTENT, ("cut", 70_000), ("change", other)))
    assert get.path.read_bytes() == other


def test_one_corrupt_copy_is_fetched_again_two_are_refused(server, get):
    assert get(server.add("/a.bin", CONTENT, ("corrupt", None)), sha256=SUM) == SUM
    get.path.unlink()
    with pytest.raises(IsthmusError, match=f"needed the SHA-256 {SUM}, got [0-9a-f]+, twice"):
        get(server.add("/a.bin", CONTENT, ("corrupt", None), ("corrupt", None)), sha256=SUM)
    only(get.path.parent)


@pytest.mark.parametrize(
    ("faults", "options", "message", "kept"),
    [
        ([("status", 404)], {}, "needed the file, got 404 Not Found", []),
        ([("status", 403)], {}, "got 403", []),
        ([("status", 503)] * 9, {}, "needed the whole file, got 503 .* after 3 attempts in a row. 0 bytes", []),
        ([("cut", 9), *[("cut", 0)] * 9], {}, "got 9 of 200000 bytes after 3 attempts in a row. 9 bytes", ["set.bin.part"]),
        ([("cut", 9), *[("stall", 0)] * 9], {}, "got no answer in time after 3 attempts", ["set.bin.part"]),
        ([], {"size": 5}, "needed 5 bytes, got a file of 200000", []),
        ([("redirect", "ftp://example.org/a")], {}, "needed https all the way, got a redirect to ftp:", []),
        ([("redirect", "/a.bin")] * 20, {}, "redirect", []),
        ([("no length", None)], {}, "got an answer without a length", []),
        ([("cut without length", 70_000)], {}, "got an answer without a length", []),
        ([("encoded", "gzip")], {}, "got it encoded as gzip", []),
        ([("encoded", "br")], {}, "got it encoded as br", []),
    ],
)
def test_a_server_that_fails_for_good_leaves_no_file(server, get, faults, options, message, kept):
    with pytest.raises(IsthmusError, match=message) as caught:
        get(server.add("/a.bin", CONTENT, *faults), **options)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in get.path.parent.iterdir() if path.suffix != ".json") == kept


def test_after_giving_up_the_next_call_goes_on(server, get):
    url = server.add("/a.bin", CONTENT, ("cut", 70_000), *[("cut", 0)] * 4)
    with pytest.raises(IsthmusError, match="70000 bytes are kept in set.bin.part"):
        get(url, sha256=SUM)
    assert get(url, sha256=SUM) == SUM
    assert server.seen[-1][1] == "bytes=70000-"


def test_all_is_there_already_but_the_name(server, get):
    url = server.add("/a.bin", CONTENT)
    get.path.with_name("set.bin.part").write_bytes(CONTENT)
    assert get(url, sha256=SUM) == SUM
    get.path.unlink()
    get.path.with_name("set.bin.part").write_bytes(CONTENT + b"more")
    assert get(url, sha256=SUM) == SUM


def test_redirects_are_followed_and_resumed(server, get):
    server.add("/real.bin", CONTENT, ("cut", 70_000))
    assert get(server.add("/a.bin", b"", ("redirect", "/real.bin"), ("redirect", "/real.bin")), sha256=SUM) == SUM
    assert server.seen[-1][:2] == ("/real.bin", "bytes=70000-")


def test_a_web_page_is_no_file(server, get):
    server.kind = "text/html; charset=utf-8"
    with pytest.raises(IsthmusError, match="needed a file, got a web page"):
        get(server.add("/a.bin", b"<html>log in</html>"))
    server.kind = "application/octet-stream"
    with pytest.raises(IsthmusError, match="needed a file, got a web page"):
        get(server.add("/a.bin", b"\n<!DOCTYPE html><html>log in"))
    with pytest.raises(IsthmusError, match="needed a file, got an empty answer"):
        get(server.add("/a.bin", b""))
    only(get.path.parent)


def test_a_checksum_tells_what_headers_do_not(server, get):
    faults = [("cut without length", 70_000), ("no length", None)]
    assert get(server.add("/a.bin", CONTENT, *faults), sha256=SUM) == SUM
    get.path.unlink()
    assert get(server.add("/a.bin", CONTENT, ("encoded", "gzip")), sha256=SUM) == SUM
    get.path.unlink()
    assert get(server.add("/a.tgz", CONTENT, ("encoded", "x-gzip"))) == SUM  # its bytes as they are


def test_nobody_there(server, get):
    with pytest.raises(IsthmusError, match="needed the whole file, got .*refused.* after 3 attempts"):
        get("http://127.0.0.1:9/a.bin")
    assert server.seen == []


def test_too_little_space(server, get, monkeypatch):
    url = server.add("/a.bin", CONTENT)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(_download.shutil, "disk_usage", lambda _: usage(10, 5, 5))
    with pytest.raises(IsthmusError, match="needed 200,000 bytes of free space, got 5"):
        get(url)
    monkeypatch.undo()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_download.os, "fsync", full)
    with pytest.raises(IsthmusError, match="needed free space, got a full disk"):
        get(url)
    assert not get.path.exists()


@pytest.mark.skipif(os.name == "nt", reason="no file locks on Windows")
def test_two_processes_fetch_one_file_once_after_the_other(server, tmp_path):
    url = server.add("/a.bin", CONTENT, ("stall", 50_000))
    code = (
        "import pathlib, sys; from isthmus.datasets import download; "
        "print(download(sys.argv[1], pathlib.Path(sys.argv[2]), sha256=sys.argv[3]))"
    )
    command = [sys.executable, "-c", code, url, str(tmp_path / "set.bin"), SUM]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [child.communicate(timeout=60)[0].strip() for child in children] == [SUM, SUM]
    only(tmp_path, "set.bin")


def test_two_versions_are_not_joined_by_a_server_that_does_not_know_if_range(server, get):
    other = bytes(reversed(CONTENT))
    url = server.add("/a.bin", CONTENT, ("cut", 90_000), ("change", other))
    server.knows_if_range = False
    assert get(url) == hashlib.sha256(other).hexdigest()
    assert get.path.read_bytes() == other


@pytest.mark.parametrize("url", ["file:///a", "ftp://x/a.bin", "data:,hello", "nonsense", "http:///a", "http://["])
def test_only_http(get, url):
    with pytest.raises(IsthmusError, match="needed an address that begins with http"):
        get(url)
    with pytest.raises(IsthmusError, match="mirror: needed an address that begins with http"):
        get_set("wordnet-3.0", get.path.parent / "new", mirror=url)
    only(get.path.parent)


def test_two_lengths_are_not_joined_under_one_etag(server, get):
    server.knows_if_range, server.tag = False, '"always the same"'
    assert get(server.add("/a.bin", CONTENT[::-1] + b"longer", ("cut", 70_000), ("change", CONTENT))) == SUM
    assert [asked for _, asked, _ in server.seen] == [None, "bytes=70000-", None]


# Whole sets.


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members:
            file.writestr(name, content)
    return buffer.getvalue()


def tarred(*members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        for name, kind, link in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, link, 2 if kind == tarfile.REGTYPE else 0
            file.addfile(info, io.BytesIO(b"hi"))
    return buffer.getvalue()


def make(server, name, content, **more):
    return Source(
        "toy", "toys", "CC0", "Do what you like.", server.url, "Nobody (2026)", "play",
        (RemoteFile(f"in/{name}", server.add(f"/{name}", content), **more),),
    )  # fmt: skip


def get_set(wanted, folder, **options):
    return fetch(wanted, folder, accept_license=True, patience=QUICK, sleep=lambda _: None, **options)


def test_a_set_is_fetched_verified_and_unpacked_once(server, tmp_path):
    wanted = make(server, "toys.zip", zipped([("a/b.txt", "ball"), ("c.txt", "")]), unpack="toys")
    (found,) = get_set(wanted, tmp_path / "new")
    assert (found.folder / "a/b.txt").read_text() == "ball"
    assert not found.pinned
    (again,) = get_set(wanted, tmp_path / "new")
    assert again == found
    assert len(server.seen) == 1
    only(tmp_path / "new", "SHA256SUMS", "in")
    only(tmp_path / "new/in", "toys.zip", "toys")


def test_the_first_checksum_is_trusted_from_then_on(server, tmp_path):
    wanted = make(server, "a.bin", CONTENT)
    get_set(wanted, tmp_path)
    assert (tmp_path / "SHA256SUMS").read_text() == f"{SUM}  in/a.bin\n"
    (tmp_path / "in/a.bin").write_bytes(b"changed")
    with pytest.raises(IsthmusError, match="It was changed: delete it and fetch it again"):
        get_set(wanted, tmp_path)
    (tmp_path / "in/a.bin").unlink()
    server.files["/a.bin"] = b"another"
    with pytest.raises(IsthmusError, match="If the source says that it changed, delete its line in .*SHA256SUMS"):
        get_set(wanted, tmp_path)
    only(tmp_path / "in")
    (tmp_path / "SHA256SUMS").write_text("nonsense\n")
    with pytest.raises(IsthmusError, match="SHA256SUMS: needed lines `checksum  path`"):
        get_set(wanted, tmp_path)
    (tmp_path / "SHA256SUMS").write_bytes(b"\xff" * 64 + b"  in/a.bin\n")
    with pytest.raises(IsthmusError, match="SHA256SUMS: needed lines `checksum  path`"):
        get_set(wanted, tmp_path)


def test_a_license_is_accepted_first_and_some_sets_are_fetched_by_hand(tmp_path):
    with pytest.raises(IsthmusError, match="glove-6b: needed your consent to its license .PDDL 1.0"):
        fetch("glove-6b", tmp_path / "x")
    with pytest.raises(IsthmusError, match="imagenet: needed a set with files to fetch, got one to fetch by hand"):
        fetch("imagenet", tmp_path / "x", accept_license=True)
    with pytest.raises(IsthmusError, match=r"got 'glove'. Did you mean 'glove-6b'\?"):
        source("glove")
    assert not (tmp_path / "x").exists()


HOSTILE = [
    ("up.zip", zipped([("../up.txt", "")]), "paths inside of the archive's folder, got '../up.txt'"),
    ("up.zip", zipped([("a/../../up.txt", "")]), "paths inside"),
    ("up.zip", zipped([("a\\..\\..\\up.txt", "")]), "paths inside"),
    ("up.zip", zipped([("/etc/up.txt", "")]), "paths inside"),
    ("up.zip", zipped([("C:/up.txt", "")]), "paths inside"),
    ("twice.zip", zipped([("a", ""), ("./a", "")]), "every path once"),
    ("cut.zip", zipped([("a", "a" * 999)])[:-30], "a whole archive, got a damaged one"),
    ("up.tgz", tarred(("../up.txt", tarfile.REGTYPE, "")), "paths inside"),
    ("link.tgz", tarred(("a", tarfile.SYMTYPE, "/etc"), ("a/b", tarfile.REGTYPE, "")), "plain files, got a link or device"),
    ("hard.tgz", tarred(("a", tarfile.LNKTYPE, "../b")), "plain files, got a link or device"),
    ("device.tgz", tarred(("a", tarfile.CHRTYPE, "")), "plain files, got a link or device"),
    ("cut.tgz", tarred(("a", tarfile.REGTYPE, ""))[:-30], "a whole archive, got a damaged one"),
    ("no.tgz", b"hello", "a whole archive, got a damaged one"),
]


@pytest.mark.parametrize(
    "bad", [b"<html>no</html>", zipped([("../evil.png", "")]), zipped([])], ids=["page", "climbs", "empty"]
)
def test_a_first_copy_that_is_no_good_is_not_kept_or_trusted(server, tmp_path, bad):
    wanted = make(server, "toys.zip", bad, unpack="toys")
    with pytest.raises(IsthmusError, match="needed"):
        fetch(wanted, tmp_path, accept_license=True)
    assert not list(tmp_path.rglob("*.zip"))
    make(server, "toys.zip", zipped([("a.txt", "ball")]), unpack="toys")
    fetch(wanted, tmp_path, accept_license=True)
    (found,) = tmp_path.rglob("a.txt")
    assert found.read_text() == "ball"
    assert found.parent.stat().st_mode & 0o044 == 0o044


def test_a_good_archive_is_kept_where_only_the_space_to_unpack_it_is_missing(server, tmp_path, monkeypatch):
    wanted = make(server, "toys.zip", zipped([("a.txt", "ball" * 999)]), unpack="toys")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(_download, "_check_space", lambda *_: None)
    monkeypatch.setattr(_download.shutil, "disk_usage", lambda _: usage(10, 5, 5))
    with pytest.raises(IsthmusError, match="needed more free space"):
        get_set(wanted, tmp_path)
    monkeypatch.undo()
    get_set(wanted, tmp_path)
    assert len(server.seen) == 1


def test_files_fetched_at_once_are_all_recorded(tmp_path):
    names = [f"f{n}" for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: _fetch._record(tmp_path, name, SUM), names))
    assert sorted(_fetch._recorded(tmp_path)) == sorted(names)
    only(tmp_path, "SHA256SUMS")


def test_a_file_in_place_of_a_folder(server, tmp_path):
    wanted = make(server, "a.bin", CONTENT)
    (tmp_path / "in").write_bytes(b"")
    for place in (tmp_path, tmp_path / "in"):
        with pytest.raises(IsthmusError, match="in: needed a folder"):
            get_set(wanted, place)


# Numbered: the bytes of an archive hold the time, and workers of one run must agree on every test's name.
@pytest.mark.parametrize(("name", "content", "message"), HOSTILE, ids=range(len(HOSTILE)))
def test_an_archive_that_climbs_out_links_or_is_cut_leaves_nothing(tmp_path, name, content, message):
    place = tmp_path / "deep"
    place.mkdir()
    (place / name).write_bytes(content)
    with pytest.raises(IsthmusError, match=message):
        unpack(place / name, place / "set")
    only(place, name)
    only(tmp_path, "deep")


def test_a_symlink_in_a_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as file:
        entry = zipfile.ZipInfo("a")
        entry.create_system, entry.external_attr = 3, 0xA1FF << 16
        file.writestr(entry, "/etc/passwd")
    with pytest.raises(IsthmusError, match="needed plain files, got a link"):
        unpack(tmp_path / "link.zip", tmp_path / "set")


def test_the_list_of_sources_is_in_order():
    for name, each in sources().items():
        assert name == each.name
        assert each.license
        assert each.terms
        for file in each.files:
            assert file.url.startswith(("http://", "https://"))
            assert file.sha256 is None or len(bytes.fromhex(file.sha256)) == 32
            assert ".." not in file.path
            assert not file.path.startswith("/")
    assert list(sources()) == sorted(sources())


# The command line.


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "isthmus", "data", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120,
        stdin=subprocess.DEVNULL, **options,
    )  # fmt: skip


def test_list_and_show():
    listed = {each["name"]: each for each in json.loads(run("list", "--json").stdout)}
    assert (listed["emoji"]["place"], listed["wiki"]["place"], listed["imagenet"]["place"]) == (
        "package",
        "fetch",
        "by hand",
    )
    (shown,) = json.loads(run("show", "glove-6b", "--json").stdout)
    assert (shown["license"], shown["size"]) == ("PDDL 1.0", 862182613)
    assert "research" in run("show", "wiki").stdout
    assert run("show", "emoji").stdout.startswith("name:      emoji\n")
    assert "by hand" in run("show", "imagenet").stdout


@pytest.mark.parametrize("seconds", ["inf", "1e10", "nan", "0"])
def test_a_timeout_is_at_most_a_day(tmp_path, seconds):
    done = run(
        "fetch",
        "iapr-authors",
        "--accept-license",
        "--mirror",
        "http://127.0.0.1:9/x",
        "--to",
        tmp_path,
        "--timeout",
        seconds,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "timeout, attempts: needed seconds up to 86400, a day" in done.stderr


def test_fetch_from_a_mirror(server, tmp_path):
    path = "/sets/iapr-authors/training_data/iaprtc"
    server.add(f"{path}/TS_lang_biGRU.csv", b"1 2,0.5\n", ("cut", 3))
    server.add(f"{path}/TS_vis_vgg128.csv", b"1 2,1.5\n", ("status", 404))
    command = ("fetch", "iapr-authors", "--to", tmp_path, "--mirror", f"{server.url}/sets", "--timeout", 5)
    refused = run(*command)
    assert refused.returncode == 2
    assert "Apache" in refused.stderr
    assert refused.stderr.splitlines()[-1].startswith("isthmus: iapr-authors: needed your consent to its license")
    assert server.seen == []
    failed = run(*command, "--accept-license")
    assert failed.returncode == 2
    assert failed.stderr.splitlines()[-1].startswith("isthmus: http://127.0.0.1")
    done = run(*command, "--accept-license", "--json")
    assert done.returncode == 0, done.stderr
    assert [each["pinned"] for each in json.loads(done.stdout)] == [False, False]
    assert (tmp_path / "training_data/iaprtc/TS_lang_biGRU.csv").read_bytes() == b"1 2,0.5\n"
    wrong = run("fetch", "wordnet-3.0", "--to", tmp_path, "--mirror", server.url, "--accept-license", "--attempts", 0)
    assert wrong.stderr.startswith("isthmus: timeout, attempts: needed seconds up to 86400")
