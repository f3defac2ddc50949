"""The library: own digits, as devices saw them or photographs show them, and what they truly are."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from shared.digit_image import IMAGE_SIZE
from trainer.errors import (
    DamagedLibraryError,
    ForeignLibraryError,
    LibraryError,
    NewerLibraryError,
    UnknownDigitError,
)
from trainer.mnist import find_data_directory
from trainer.own_digits import NOTHING, OwnDigit, Sight

FILE_NAME = "library.sqlite"

# How a library tells that it is none of the next version's, and no other program's file ("Inkl").
VERSION = 1
APPLICATION_ID = 0x496E6B6C

# How long to wait for another process that writes.
BUSY_TIMEOUT_S = 20.0

# One picture a row, whatever it was called how often; `events` are its names.
SCHEMA = f"""
CREATE TABLE digits (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    time TEXT NOT NULL,
    image BLOB NOT NULL CHECK (length(image) = {IMAGE_SIZE * IMAGE_SIZE}),
    image_hash BLOB NOT NULL,
    digit INTEGER NOT NULL CHECK (digit BETWEEN 0 AND 9),
    confidence REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    outputs TEXT NOT NULL,
    model TEXT NOT NULL,
    label INTEGER CHECK (label BETWEEN {NOTHING} AND 9),
    label_source TEXT,
    labelled_at TEXT,
    UNIQUE (device, image_hash)
);
CREATE TABLE events (
    device TEXT NOT NULL,
    id TEXT NOT NULL,
    number INTEGER NOT NULL REFERENCES digits,
    PRIMARY KEY (device, id)
) WITHOUT ROWID;
CREATE INDEX events_number ON events (number);
CREATE INDEX digits_label ON digits (label);
CREATE TABLE identity (id TEXT NOT NULL);
"""

COLUMNS = "number, device, time, image, digit, confidence, outputs, model, label, label_source, labelled_at"


class Library:
    """Own digits on the disk, for as long as a `with` block; several processes may have it open.

    Whatever a method changes is on the disk when it returns, whole, or else not at all.

    Parameters
    ----------
    path : the file, which is made if it is missing
    busy_timeout_s : how long to wait for another process that writes

    Raises
    ------
    ForeignLibraryError, NewerLibraryError, DamagedLibraryError : if it is no library that can be used
    LibraryError : if it cannot be opened; by any method, if the disk is full or the file cannot be written
    """

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.path = path
        self._busy_timeout_s = busy_timeout_s
        with self._explain():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None)
        try:
            self._check()
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    @property
    def identity(self) -> str:
        """Eight hexadecimal digits that no other library has."""
        with self._explain():
            return str(self._database.execute("SELECT id FROM identity").fetchone()[0])

    def add(self, sights: Iterable[Sight]) -> int:
        """Keep digits, all or none; returns how many of them were not there yet.

        There already is what has the same device and id, or is the same picture of the same device: the same
        hold, announced again. It then answers to both ids.
        """
        added = 0
        with self._change():
            for sight in sights:
                added += self._add(sight)
        return added

    def label(self, labels: Sequence[tuple[int, int | None]], source: str) -> None:
        """Say what digits are, by their numbers, all or none; None takes a label back.

        Raises
        ------
        UnknownDigitError : if there is none of such a number
        """
        now = _write_time(datetime.now(UTC))
        with self._change():
            for number, label in labels:
                said = (label, None, None) if label is None else (label, source, now)
                cursor = self._database.execute(
                    "UPDATE digits SET label = ?, label_source = ?, labelled_at = ? WHERE number = ?",
                    (*said, number),
                )
                if not cursor.rowcount:
                    raise UnknownDigitError(f"{self.path}: no digit {number}: 'label --list' tells which are")

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let all changes in the block reach the disk at once, which is much quicker, or none of them."""
        with self._change():
            yield

    def restore(self, digit: OwnDigit) -> None:
        """Give a digit back the label that it had, whoever it came from."""
        at = None if digit.labelled_at is None else _write_time(digit.labelled_at)
        with self._change():
            self._database.execute(
                "UPDATE digits SET label = ?, label_source = ?, labelled_at = ? WHERE number = ?",
                (digit.label, digit.label_source, at, digit.number),
            )

    def find(self, event: str, device: str | None = None) -> int | None:
        """Tell the number of the digit of an event; None if there is none, or more than one."""
        with self._explain():
            # With the device it is looked up; by its id alone it must be looked for.
            condition, values = ("", ()) if device is None else ("device = ? AND ", (device,))
            rows = self._database.execute(
                f"SELECT DISTINCT number FROM events WHERE {condition}id = ?", (*values, event)
            ).fetchmany(2)
        return int(rows[0][0]) if len(rows) == 1 else None

    def take(self, number: int) -> OwnDigit:
        """Take out one digit.

        Raises
        ------
        UnknownDigitError : if there is none of that number
        """
        digits = self._select("WHERE number = ?", number)
        if not digits:
            raise UnknownDigitError(f"{self.path}: no digit {number}: 'label --list' tells which are")
        return digits[0]

    def take_all(self, device: str | None = None) -> list[OwnDigit]:
        """Take out all digits, or those of one device, in the order in which they came."""
        return self._select("WHERE ? IS NULL OR device = ? ORDER BY number", device, device)

    def count(self) -> tuple[int, int]:
        """How many digits there are, and how many of them have a label."""
        with self._explain():
            digits, labelled = self._database.execute("SELECT count(*), count(label) FROM digits").fetchone()
        return int(digits), int(labelled)

    def _select(self, condition: str, *values: object) -> list[OwnDigit]:
        query = (
            f"SELECT {COLUMNS}, (SELECT id FROM events WHERE events.number = digits.number LIMIT 1) "
            f"FROM digits {condition}"
        )
        with self._explain():
            try:
                return [_read_row(row) for row in self._database.execute(query, values)]
            except (ValueError, TypeError) as error:
                raise DamagedLibraryError(_tell_damage(self.path, error)) from error

    def _add(self, sight: Sight) -> bool:
        image = np.ascontiguousarray(sight.image, np.uint8).tobytes()
        digest = hashlib.sha256(image).digest()[:16]
        if self._database.execute(
            "SELECT 1 FROM events WHERE device = ? AND id = ?", (sight.device, sight.id)
        ).fetchone():
            return False
        row = self._database.execute(
            "SELECT number FROM digits WHERE device = ? AND image_hash = ?", (sight.device, digest)
        ).fetchone()
        number = row[0] if row else None
        if number is None:
            number = self._database.execute(
                "INSERT INTO digits (device, time, image, image_hash, digit, confidence, outputs, model) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    sight.device,
                    _write_time(sight.time),
                    image,
                    digest,
                    sight.digit,
                    sight.confidence,
                    json.dumps(sight.outputs),
                    sight.model,
                ),
            ).lastrowid
        self._database.execute("INSERT INTO events VALUES (?, ?, ?)", (sight.device, sight.id, number))
        return row is None

    def _check(self) -> None:
        """See that it is a library of this version and whole, and make one of an empty file."""
        with self._explain():
            for _ in range(2):
                version, application, tables = (
                    int(self._database.execute(query).fetchone()[0])
                    for query in (
                        "PRAGMA user_version",
                        "PRAGMA application_id",
                        "SELECT count(*) FROM sqlite_master",
                    )
                )
                if application == APPLICATION_ID or tables:
                    break
                self._create()
            if application != APPLICATION_ID:
                raise ForeignLibraryError(
                    f"{self.path}: a database of another program: name another file with --library"
                )
            if version > VERSION:
                raise NewerLibraryError(
                    f"{self.path}: made by a newer version of Inkling: install that one here, too"
                )
            (fault,) = self._database.execute("PRAGMA quick_check(1)").fetchone()
            if fault != "ok":
                raise DamagedLibraryError(_tell_damage(self.path, fault))

    def _create(self) -> None:
        with self._change():
            if self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                return  # another process was quicker
            for statement in SCHEMA.split(";"):
                self._database.execute(statement)
            self._database.execute("INSERT INTO identity VALUES (?)", (secrets.token_hex(4),))
            self._database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._database.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def _change(self) -> Iterator[None]:
        """Change all that the block changes, or nothing; other processes wait meanwhile."""
        if self._database.in_transaction:  # within `together`
            yield
            return
        with self._explain():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _explain(self) -> Iterator[None]:
        """Say what SQLite's errors mean, and what to do."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code == sqlite3.SQLITE_FULL:
                raise LibraryError(
                    f"{self.path}: the disk is full: make room, and do it again; all that was kept is there"
                ) from error
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise LibraryError(
                    f"{self.path}: another program has been writing to it for {self._busy_timeout_s:g} s: "
                    "wait for it, or end it"
                ) from error
            if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
                raise LibraryError(
                    f"{self.path}: cannot be opened for writing ({error}): ask for permission, or name "
                    "another file with --library"
                ) from error
            if code == sqlite3.SQLITE_IOERR:
                raise LibraryError(
                    f"{self.path}: cannot be read or written ({error}): is the disk full, or failing?"
                ) from error
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise DamagedLibraryError(_tell_damage(self.path, error)) from error
            raise LibraryError(f"{self.path}: {error}") from error


def find_library(chosen: Path | None, data_directory: Path | None) -> Path:
    """Tell where the library is: `chosen`, or beside MNIST's data."""
    return chosen if chosen is not None else find_data_directory(data_directory) / FILE_NAME


def _tell_damage(path: Path, what: object) -> str:
    return (
        f"{path}: damaged, or no library at all ({what}): put a copy of it back, or save what can be saved "
        f"with 'sqlite3 {path.name} .recover', or move it away and begin anew"
    )


def _write_time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds")


def _read_row(row: tuple[object, ...]) -> OwnDigit:
    number, device, time, image, digit, confidence, outputs, model, label, source, labelled_at, id_ = row
    assert isinstance(image, bytes)
    return OwnDigit(
        device=str(device),
        id=str(id_),
        time=datetime.fromisoformat(str(time)),
        image=np.frombuffer(image, np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE),
        digit=int(str(digit)),
        confidence=float(str(confidence)),
        outputs=tuple(json.loads(str(outputs))),
        model=str(model),
        number=int(str(number)),
        label=None if label is None else int(str(label)),
        label_source=None if source is None else str(source),
        labelled_at=None if labelled_at is None else datetime.fromisoformat(str(labelled_at)),
    )
