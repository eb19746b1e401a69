"""The audit trail: written before anything is handed over, and showing what was done to it."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broker.audit import FIELDS, AuditTrail, AuditUnavailable, Head, find, remove_stale_probes, verify
from broker.audit.probes import PROBE, STALE
from broker.operations.checks import check_audit_folder
from tests.broker.conftest import NOW
from tests.harness.full_disk import full_after


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "audit"


@pytest.fixture
def trail(folder: Path) -> AuditTrail:
    return AuditTrail(folder, lambda: NOW)


def one_file(folder: Path) -> Path:
    (path,) = folder.glob("audit-*.jsonl")
    return path


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]


class TestWriting:
    def test_a_record_is_on_the_disk_when_record_returns(self, folder: Path) -> None:
        done: list[str] = []

        def sync(descriptor: int) -> None:
            os.fdatasync(descriptor)
            done.append(one_file(folder).read_text())

        AuditTrail(folder, lambda: NOW, sync=sync).record("identified", txn="K7QF", client="portal", provider=None)
        assert '"txn":"K7QF"' in done[-1]

    def test_a_record_has_its_time_its_event_and_the_fields_that_are_there(
        self, trail: AuditTrail, folder: Path
    ) -> None:
        trail.record("identified", txn="K7QF", auth_time=NOW, provider=None)
        record = records(folder)[1]
        assert set(record) == {"seq", "previous", "hash", "time", "event", "txn", "auth_time"}
        assert (record["time"], record["event"]) == ("2026-09-21T14:13:20.000Z", "identified")

    @pytest.mark.parametrize("name", ["name", "birthdate", "personal_identity_code", "token", "ip", "time", "hash"])
    def test_no_other_field_can_be_written(self, trail: AuditTrail, folder: Path, name: str) -> None:
        with pytest.raises(TypeError, match=name):
            trail.record("identified", **{name: "x"})
        assert not folder.exists()

    def test_no_other_event_and_no_other_type_can_be_written(self, trail: AuditTrail) -> None:
        with pytest.raises(TypeError, match="no event"):
            trail.record("opened")
        for value in (["x"], {"a": 1}, 1.5, True):
            with pytest.raises(TypeError, match="neither text nor number"):
                trail.record("identified", reference=value)  # type: ignore[arg-type]

    @pytest.mark.parametrize("value", ["010100A969P", "SE/010190y999w", "x 131052-908T."])
    def test_a_value_that_looks_like_a_personal_identity_code_is_withheld(
        self, trail: AuditTrail, folder: Path, value: str
    ) -> None:
        trail.record("identified", reference=value)
        assert "(withheld)" in records(folder)[1]["reference"]
        assert value[-5:] not in one_file(folder).read_text()

    @pytest.mark.parametrize("value", ["0f" * 32, "8a3c0101-11f1-4a2b-9c3d-010190a9991f", "_19cfbd64010190A999W0"])
    def test_an_ordinary_reference_is_kept(self, trail: AuditTrail, folder: Path, value: str) -> None:
        trail.record("identified", reference=value)
        assert records(folder)[1]["reference"] == value

    def test_a_line_break_in_a_value_makes_no_line(self, trail: AuditTrail, folder: Path) -> None:
        trail.record("refused", reference='x\n{"seq":9}\u2028')
        assert len(one_file(folder).read_text().splitlines()) == 2
        assert verify(folder).findings == []

    @pytest.mark.parametrize(
        ("value", "written"),
        [
            ("a\nb", r"a\u000ab"),
            ("a\tb\x00\x7f\x9b", r"a\u0009b\u0000\u007f\u009b"),
            ("a\u2028b\u202eb\u200bb", r"a\u2028b\u202eb\u200bb"),
            ("a\ud800b", r"a\ud800b"),
            ("Åland 银行 a b", "Åland 银行 a b"),
            ("", ""),
        ],
    )
    @pytest.mark.parametrize("field", ["reference", "signing_kid", "sub"])
    def test_a_value_is_printable_text_and_what_was_not_is_seen(
        self, trail: AuditTrail, folder: Path, field: str, value: str, written: str
    ) -> None:
        trail.record("identified", **{field: value})
        assert records(folder)[1][field] == written
        assert written.isprintable()

    def test_a_value_is_bounded_after_it_was_made_printable(self, trail: AuditTrail, folder: Path) -> None:
        trail.record("identified", reference="\n" * 5000, acr="x" * 5000)
        record = records(folder)[1]
        assert (len(record["reference"]), len(record["acr"])) == (512, 512)

    def test_a_personal_identity_code_with_something_invisible_in_it_is_withheld(
        self, trail: AuditTrail, folder: Path
    ) -> None:
        trail.record("identified", reference="01\u200b0190-99\n9W", sub="x" * 505 + " 010190-999W")
        record = records(folder)[1]
        assert record["reference"] == "(withheld)"
        assert "0101" not in record["sub"]

    def test_files_belong_to_their_owner_alone(self, trail: AuditTrail, folder: Path) -> None:
        trail.record("refused")
        assert one_file(folder).stat().st_mode & 0o777 == 0o600
        assert folder.stat().st_mode & 0o777 == 0o700

    def test_closing_writes_a_last_record_once_and_nothing_after(self, trail: AuditTrail, folder: Path) -> None:
        trail.record("refused")
        trail.close()
        trail.close()
        assert [record["event"] for record in records(folder)] == ["opened", "refused", "closed"]
        with pytest.raises(AuditUnavailable):
            trail.record("refused")

    def test_a_trail_without_records_makes_no_file(self, trail: AuditTrail, folder: Path) -> None:
        trail.close()
        assert not folder.exists()


class TestManyThreads:
    def test_those_who_wait_share_one_wait_for_the_disk(self, folder: Path) -> None:
        count, waits = 8, 0
        first_waits, all_wait = threading.Event(), threading.Event()

        def sync(descriptor: int) -> None:
            nonlocal waits
            waits += 1
            if waits == 1:
                first_waits.set()
                assert all_wait.wait(10)
            os.fdatasync(descriptor)

        trail = AuditTrail(folder, lambda: NOW, sync=sync)
        threads = [
            threading.Thread(target=trail.record, args=("refused",), kwargs={"txn": f"T{n}"}) for n in range(count)
        ]
        threads[0].start()
        assert first_waits.wait(10)
        for thread in threads[1:]:
            thread.start()
        while len(trail._file._waiting if trail._file else []) < count - 1:
            threading.Event().wait(0.001)
        all_wait.set()
        for thread in threads:
            thread.join()
        assert waits == 2
        assert len(records(folder)) == count + 1
        assert verify(folder).findings == []

    def test_every_record_of_every_thread_is_there_in_one_chain(self, trail: AuditTrail, folder: Path) -> None:
        def work(name: str) -> None:
            for number in range(50):
                trail.record("identified", txn=f"{name}{number}")

        threads = [threading.Thread(target=work, args=(name,)) for name in "ABCDEF"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        trail.close()
        seen = verify(folder)
        assert (seen.records, seen.findings, seen.unclosed) == (302, [], [])


class TestDiskTrouble:
    def failing(self, folder: Path, broken: list[bool], **how: Callable[..., Any]) -> AuditTrail:
        def sync(descriptor: int) -> None:
            if broken[0]:
                raise OSError(errno.ENOSPC, "No space left on device")
            os.fdatasync(descriptor)

        return AuditTrail(folder, lambda: NOW, sync=sync, **how)

    def test_a_record_that_did_not_reach_the_disk_is_an_error(
        self, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        trail = self.failing(folder, [True])
        with pytest.raises(AuditUnavailable, match="No space"):
            trail.record("identified", txn="A")
        assert trail.writable() == "No space left on device"
        assert [record.getMessage() for record in caplog.records] == ["audit_unavailable"]

    def test_on_a_disk_that_works_again_the_file_goes_on(self, folder: Path) -> None:
        broken = [False]
        trail = self.failing(folder, broken)
        trail.record("identified", txn="A")
        broken[0] = True
        for _ in range(195):
            with pytest.raises(AuditUnavailable):
                trail.record("identified", txn="B")
        assert [record["event"] for record in records(folder)] == ["opened", "identified"]
        broken[0] = False
        trail.record("identified", txn="C")
        trail.close()
        assert trail.writable() is None
        seen = verify(folder)
        assert (seen.files, seen.records, seen.unclosed, seen.findings) == (1, 4, [], [])
        assert [record.get("txn") for record in records(folder)] == [None, "A", "C", None]

    def test_whether_it_can_be_written_is_tried_and_not_remembered(self, folder: Path) -> None:
        folder.mkdir()
        broken = [True]
        trail = self.failing(folder, broken)
        assert trail.writable() == "No space left on device"
        with pytest.raises(AuditUnavailable):
            trail.record("identified", txn="A")
        broken[0] = False
        assert trail.writable() is None
        with full_after(PROBE - 1):
            assert trail.writable() is not None
        assert list(folder.iterdir()) == []

    def test_what_killed_processes_left_of_a_look_is_removed_and_nothing_else(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.mkdir()
        stale = [f".probe-{number}-0123abcd" for number in range(1, 6)]
        kept = [
            ".probe-7-0123abc",
            ".probe-7-0123abcde",
            ".probe-x-0123abcd",
            "x.probe-7-0123abcd",
            ".probe-7-0123ABCD",
        ]
        kept += ["audit-20261130T110000Z-7-0123abcd.jsonl", ".probe-8-0123abcd", ".probe-9-0123abcd"]
        for name in (*stale, *kept):
            (folder / name).write_bytes(b"")
            os.utime(folder / name, (NOW - STALE - 1, NOW - STALE - 1))
        os.utime(folder / ".probe-8-0123abcd", (NOW - STALE, NOW - STALE))  # of a process that looks just now
        (folder / ".probe-9-0123abcd").unlink()
        (folder / ".probe-9-0123abcd").symlink_to(tmp_path / "elsewhere")
        (folder / ".probe-10-0123abcd").mkdir()
        os.utime(folder / ".probe-9-0123abcd", (1, 1), follow_symlinks=False)
        os.utime(folder / ".probe-10-0123abcd", (1, 1))
        monkeypatch.setattr("broker.audit.probes.MOST_REMOVED", 3)
        remove_stale_probes(folder, NOW)
        assert len(set(stale) & {path.name for path in folder.iterdir()}) == 2, "bounded"
        remove_stale_probes(folder, NOW)
        assert {path.name for path in folder.iterdir()} == {*kept, ".probe-10-0123abcd"}

    def test_a_folder_that_is_not_there_has_nothing_to_remove(self, folder: Path) -> None:
        remove_stale_probes(folder, NOW)
        assert not folder.exists()

    def test_a_disk_that_was_full_from_the_start_keeps_no_empty_files(self, folder: Path) -> None:
        broken = [True]
        trail = self.failing(folder, broken)
        for _ in range(195):
            with pytest.raises(AuditUnavailable):
                trail.record("identified", txn="A")
            assert list(folder.iterdir()) == []
        broken[0] = False
        trail.record("identified", txn="B")
        trail.close()
        seen = verify(folder)
        assert (seen.files, seen.records, seen.unclosed, seen.findings) == (1, 3, [], [])

    def test_what_was_half_written_is_cut_off(self, folder: Path) -> None:
        full = [False]

        def write(descriptor: int, data: bytes) -> int:
            if full[0] and len(data) < 100:
                raise OSError(errno.ENOSPC, "No space left on device")
            return os.write(descriptor, data[:50] if full[0] else data)

        trail = AuditTrail(folder, lambda: NOW, write=write)
        trail.record("identified", txn="A")
        full[0] = True
        with pytest.raises(AuditUnavailable):
            trail.record("identified", txn="B")
        full[0] = False
        trail.record("identified", txn="C")
        trail.close()
        assert verify(folder).findings == []
        assert [record.get("txn") for record in records(folder)] == [None, "A", "C", None]

    def test_a_file_that_cannot_be_cut_is_left_and_another_opened(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(descriptor: int, length: int) -> None:
            raise OSError(errno.EIO, "I/O error")

        broken = [False]
        trail = self.failing(folder, broken)
        trail.record("identified", txn="A")
        broken[0] = True
        with monkeypatch.context() as patch:
            patch.setattr(os, "ftruncate", refuse)
            with pytest.raises(AuditUnavailable):
                trail.record("identified", txn="B")
        broken[0] = False
        trail.record("identified", txn="C")
        trail.close()
        seen = verify(folder)
        assert (seen.files, len(seen.unclosed), seen.findings) == (2, 1, [])

    def test_a_file_whose_name_may_not_survive_is_not_left_behind(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(descriptor: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", refuse)
        with pytest.raises(AuditUnavailable):
            AuditTrail(folder, lambda: NOW).record("refused")
        assert list(folder.iterdir()) == []

    def test_a_short_write_is_finished(self, folder: Path) -> None:
        trail = AuditTrail(folder, lambda: NOW, write=lambda descriptor, data: os.write(descriptor, data[:7]))
        trail.record("identified", txn="A")
        assert [record["event"] for record in records(folder)] == ["opened", "identified"]

    def test_everyone_who_waits_for_a_failed_write_is_told_where_the_file_goes_on(self, folder: Path) -> None:
        waiting, go, calls = threading.Event(), threading.Event(), 0

        def sync(descriptor: int) -> None:
            nonlocal calls
            calls += 1
            if calls == 2:
                waiting.set()
                assert go.wait(10)
                raise OSError(errno.ENOSPC, "No space left on device")
            os.fdatasync(descriptor)

        trail = AuditTrail(folder, lambda: NOW, sync=sync)
        trail.record("refused", txn="BEFORE")
        told: list[str] = []

        def work() -> None:
            try:
                trail.record("refused", txn="LOST")
            except AuditUnavailable as error:
                told.append(str(error))

        threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
        threads[0].start()
        assert waiting.wait(10)
        for thread in threads[1:]:
            thread.start()
        while len(trail._file._waiting if trail._file else []) < 3:
            threading.Event().wait(0.001)
        go.set()
        for thread in threads:
            thread.join(10)
        assert told == ["No space left on device"] * 4
        trail.record("refused", txn="AFTER")
        trail.close()
        assert [record.get("txn") for record in records(folder)] == [None, "BEFORE", "AFTER", None]

    def test_everyone_who_waits_for_a_failed_write_is_told(self, folder: Path) -> None:
        waiting, go = threading.Event(), threading.Event()

        def sync(descriptor: int) -> None:
            waiting.set()
            assert go.wait(10)
            raise OSError(errno.EIO, "I/O error")

        trail = AuditTrail(folder, lambda: NOW, sync=sync)
        told: list[str] = []

        def work() -> None:
            try:
                trail.record("refused")
            except AuditUnavailable as error:
                told.append(str(error))

        threads = [threading.Thread(target=work) for _ in range(4)]
        threads[0].start()
        assert waiting.wait(10)
        for thread in threads[1:]:
            thread.start()
        while len(trail._file._waiting if trail._file else []) < 3:
            threading.Event().wait(0.001)
        go.set()
        for thread in threads:
            thread.join()
        assert len(told) == 4

    def test_a_folder_that_cannot_even_be_looked_at_is_told(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(_path: Path) -> bool:
            raise PermissionError(errno.EACCES, "Permission denied")

        trail = AuditTrail(folder, lambda: NOW)
        monkeypatch.setattr(Path, "is_dir", refused)
        assert trail.writable() == "Permission denied"
        assert {check.state for check in check_audit_folder(folder, lambda: NOW)} == {"failed", "warning"}

    def test_a_folder_that_cannot_be_made_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        trail = AuditTrail(tmp_path / "file" / "audit", lambda: NOW)
        assert trail.writable() is not None
        with pytest.raises(AuditUnavailable):
            trail.record("identified")


class TestTampering:
    @pytest.fixture
    def path(self, trail: AuditTrail, folder: Path) -> Path:
        for number in range(1, 6):
            trail.record("identified", txn=f"T{number}", client="portal")
        trail.close()
        return one_file(folder)

    def bend(self, path: Path, change: Callable[[list[str]], list[str]]) -> list[tuple[int, str]]:
        path.write_text("".join(change(path.read_text().splitlines(keepends=True))))
        seen = verify(path.parent)
        assert all(finding.file == path.name for finding in seen.findings)
        return [(finding.line, finding.wrong) for finding in seen.findings]

    def test_an_untouched_file_is_in_order(self, path: Path) -> None:
        seen = verify(path.parent)
        assert (seen.files, seen.records, seen.findings, seen.unclosed) == (1, 7, [], [])

    @pytest.mark.parametrize("line", range(7))
    def test_a_changed_line_is_found_where_it_is(self, path: Path, line: int) -> None:
        def change(lines: list[str]) -> list[str]:
            lines[line] = lines[line].replace('"event":"', '"event":"X')
            return lines

        found = self.bend(path, change)
        assert (line + 1, "was changed: its hash is another") in found

    def test_a_line_changed_with_its_hash_made_anew_breaks_the_chain_after_it(self, path: Path) -> None:
        def change(lines: list[str]) -> list[str]:
            from broker.audit.chain import line_of, parse

            record = parse(lines[2].encode())
            made, _ = line_of(3, record["previous"], NOW, "identified", {"txn": "FORGED"})
            lines[2] = made.decode() + "\n"
            return lines

        assert [line for line, wrong in self.bend(path, change) if "does not follow" in wrong] == [4]

    @pytest.mark.parametrize("line", range(6))
    def test_a_removed_line_is_found_at_the_one_after(self, path: Path, line: int) -> None:
        found = self.bend(path, lambda lines: lines[:line] + lines[line + 1 :])
        assert found == [(line + 1, f"records before it were removed: {line} is followed by {line + 2}")]

    def test_a_line_put_in_is_found(self, path: Path) -> None:
        found = self.bend(path, lambda lines: [*lines[:3], lines[1], *lines[3:]])
        assert (4, "is out of order, or was inserted: record 2 stands after 3") in found

    def test_lines_that_changed_places_are_found(self, path: Path) -> None:
        found = self.bend(path, lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]])
        assert {line for line, _ in found} == {3, 4, 5}

    def test_a_line_after_the_last_is_found(self, path: Path) -> None:
        assert self.bend(path, lambda lines: [*lines, lines[-1]])[0][1] == "follows the record that closes the file"

    def test_a_line_that_is_no_record_is_found(self, path: Path) -> None:
        assert (3, "is not JSON") in self.bend(path, lambda lines: [*lines[:2], "x\n", *lines[3:]])
        assert (3, "is no record") in self.bend(path, lambda lines: [*lines[:2], "[]\n", *lines[3:]])

    def test_a_file_cut_short_is_unclosed_and_the_heads_show_it(self, path: Path) -> None:
        last = json.loads(path.read_text().splitlines()[-2])
        head = Head(path.name, last["seq"], last["hash"])
        assert verify(path.parent, [head]).findings == []
        assert self.bend(path, lambda lines: lines[:-2]) == []
        seen = verify(path.parent, [head])
        assert seen.unclosed == [path.name]
        assert [(finding.line, finding.wrong) for finding in seen.findings] == [(6, "is missing; its hash was kept")]

    def test_a_chain_written_anew_does_not_have_the_heads(self, path: Path, tmp_path: Path) -> None:
        last = json.loads(path.read_text().splitlines()[-1])
        forged = AuditTrail(tmp_path / "forged", lambda: NOW)
        for number in range(1, 6):
            forged.record("identified", txn=f"F{number}")
        forged.close()
        path.write_text(one_file(tmp_path / "forged").read_text())
        assert verify(path.parent).findings == []
        (finding,) = verify(path.parent, [Head(path.name, 7, last["hash"])]).findings
        assert finding.wrong == "is not the record whose hash was kept"

    def test_a_removed_file_is_shown_by_the_heads(self, path: Path) -> None:
        path.unlink()
        (finding,) = verify(path.parent, [Head("audit-x.jsonl", 1, "0" * 64)]).findings
        assert "not there" in finding.wrong

    def test_a_line_torn_by_a_crash_is_no_tampering_but_the_file_is_unclosed(self, path: Path) -> None:
        assert self.bend(path, lambda lines: [*lines[:3], lines[3][:20]]) == []
        assert verify(path.parent).unclosed == [path.name]

    def test_a_folder_that_is_not_there_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            verify(tmp_path / "nowhere")


class TestHeads:
    def test_the_head_in_the_log_is_that_of_the_last_record_on_the_disk(
        self, trail: AuditTrail, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        trail.log_head()
        assert caplog.records == []
        trail.record("refused", txn="A")
        trail.log_head()
        (told,) = caplog.records
        last = records(folder)[-1]
        assert (told.file, told.seq, told.head) == (one_file(folder).name, 2, last["hash"])  # type: ignore[attr-defined]

    def test_closing_tells_the_last_head(self, trail: AuditTrail, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        trail.record("refused")
        trail.close()
        assert caplog.records[-1].seq == 3  # type: ignore[attr-defined]


class TestFinding:
    @pytest.fixture
    def two_files(self, folder: Path) -> Path:
        for txns in (("K7QFAAAA", "ZZZZ", "K7QFAAAA"), ("K7QFBBBB",)):
            trail = AuditTrail(folder, lambda: NOW)
            for txn in txns:
                trail.record("identified", txn=txn, client="K7QF")
            trail.close()
        return folder

    def test_every_match_of_a_prefix_is_told_over_all_files(self, two_files: Path) -> None:
        stories = find(two_files, "k7qf")
        assert sorted((story.txn, len(story.records)) for story in stories) == [("K7QFAAAA", 2), ("K7QFBBBB", 1)]
        name, number, record = next(story for story in stories if story.txn == "K7QFAAAA").records[0]
        assert json.loads((two_files / name).read_text().splitlines()[number - 1]) == record

    def test_a_reference_is_found_as_people_write_it(self, two_files: Path) -> None:
        assert [story.txn for story in find(two_files, " k7qf-bb ")] == ["K7QFBBBB"]
        assert find(two_files, "ZZZZZ") == []

    def test_an_empty_reference_finds_nothing_at_all(self, two_files: Path) -> None:
        with pytest.raises(ValueError, match="at least one character"):
            find(two_files, " - ")


def test_the_allowed_fields_are_those_of_the_design() -> None:
    """time and event are added; everything else that may ever be written stands here."""
    whose = {"txn", "attempt", "client", "provider", "connection"}
    of_the_bank = {"reference", "acr", "auth_time", "signing_kid", "encryption_kid"}
    assert whose | of_the_bank | {"sub", "step", "code", "reason", "count", "checkpoint"} == FIELDS


def test_a_file_is_named_after_its_start_and_process(trail: AuditTrail, folder: Path) -> None:
    trail.record("refused")
    assert re.fullmatch(rf"audit-20260921T141320Z-{os.getpid()}-[0-9a-f]{{8}}\.jsonl", one_file(folder).name)
