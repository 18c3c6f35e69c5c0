"""Keys of people and of single visits (密钥): one each, in a database of their own.

What it promises:

* a personal field is readable as long as its subject's key lives; `destroy` ends that for every
  copy of the events, backups included, because the keys are backed up apart from them. A subject
  is a person, or a visit whose evidence is forgotten before the person is;
* processes that make a key for the same person at once end up with the same key;
* a key that one process destroyed is forgotten by all others within `FORGET_SECONDS`;
* a master key that does not belong to the database is refused when it is opened;
* lost connections are made anew.

Person keys are AES-256, wrapped with AES-256-GCM under the master key. The master key also
gives the lookup key, under which a person's id is derived from the identity number: the same
identity is always the same id, and the id tells nothing to those without the key. And it gives
the key with which the deployment signs what it hands to others.
"""

import asyncio
import base64
import contextlib
import hmac
import os
import secrets
import tempfile
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from datetime import date
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kernel.clock import Clock
from kernel.eventstore.connections import Patience, PlainConnection, Pool, is_lost
from kernel.ids import derive, new_id

FORGET_SECONDS = 5.0
CACHED_KEYS = 100_000
_KEY_BYTES = 32
_NONCE_BYTES = 12
_SALT_BYTES = 16
_AES_256_GCM = b"\x01"  # first byte of what is sealed: room for other algorithms (SM4-GCM)
_SCHEMA_LOCK = 0x6C746369_6B657973

_TABLES = """
create table if not exists master_key (
    single boolean primary key default true check (single),
    fingerprint bytea not null
);
create table if not exists subject_keys (
    key_id uuid primary key,
    subject uuid not null,
    wrapped bytea,
    created_at timestamptz not null default now(),
    destroyed_at timestamptz,
    check ((wrapped is null) = (destroyed_at is not null))
);
create unique index if not exists subject_keys_living
    on subject_keys (subject) where destroyed_at is null;
create index if not exists subject_keys_destroyed
    on subject_keys (destroyed_at) where destroyed_at is not null;
"""

T = TypeVar("T")


class MasterKeyError(RuntimeError):
    """The master key is missing, unsafe or not the one this database was made with."""


class KeyRing:
    """The keys of people, cached; safe to share by everything in a process."""

    def __init__(self, pool: Pool, master: bytes) -> None:
        """Use `open`: it also makes the tables and checks the master key."""
        self._pool = pool
        self._wrapping = AESGCM(_derived(master, b"ltci wrapping of person keys"))
        self._lookup = _derived(master, b"ltci lookup of people")
        self._signing = Ed25519PrivateKey.from_private_bytes(
            _derived(master, b"ltci signing of transfers")
        )
        self._fingerprint = _derived(master, b"ltci fingerprint of the master key")
        self._keys: OrderedDict[UUID, AESGCM] = OrderedDict()  # the least used first
        self._key_ids: dict[UUID, UUID] = {}  # person -> key
        self._subjects: dict[UUID, UUID] = {}  # key -> person, for those in `_key_ids`
        self._to_make: set[UUID] = set()  # subjects that wait for new keys
        self._making = asyncio.Lock()
        self._clock = Clock()
        self._looked_at = self._clock.monotonic()

    @classmethod
    async def open(cls, dsn: str, master_key_file: Path, *, create: bool = False) -> "KeyRing":
        """Opens the keys' own database; `create` makes a missing master key (first start only)."""
        master = await asyncio.to_thread(read_master_key, master_key_file, create=create)
        pool = await asyncpg.create_pool(
            dsn, min_size=1, max_size=4, connection_class=PlainConnection
        )
        ring = cls(pool, master)
        try:
            await ring._prepare()
        except BaseException:
            await pool.close()
            raise
        return ring

    def person_id(self, identity_kind: str, identity_number: str) -> UUID:
        """The person with this identity paper: always the same id, and one that tells nothing."""
        told = f"{identity_kind.strip().lower()}\0{identity_number.strip().upper()}"
        return derive("person", self._keyed(b"person", told).hex())

    def lookup_hash(self, purpose: str, text: str) -> str:
        """A keyed hash (64 hex digits) by which a personal field can be searched, not read."""
        return self._keyed(purpose.encode(), text).hex()

    def sign(self, content: bytes) -> bytes:
        """The deployment's Ed25519 signature of a content, for other deployments to check."""
        return self._signing.sign(content)

    @property
    def public_key(self) -> bytes:
        """The key by which others check what this deployment signed; 32 bytes."""
        return self._signing.public_key().public_bytes_raw()

    def draw_seed(self, purpose: str, pool: str, day: date) -> bytes:
        """The secret seed of a pool's draws of one kind and day (`kernel.draw`), always the same.

        Its commitment is recorded before the first draw of the day, the seed after the day.
        """
        return self._keyed(b"draw seed", f"{purpose}\0{pool}\0{day.isoformat()}")

    async def key_id(self, subject: UUID) -> UUID:
        """The living key of a person, made on first use."""
        await self._forget_destroyed()
        if subject not in self._key_ids:
            await self.prepare([subject])
        return self._key_ids[subject]

    async def prepare(self, subjects: Iterable[UUID]) -> None:
        """Makes or fetches the keys of many people at once: before an import."""
        # One order for all processes, so that two of them never wait for each other.
        wanted = sorted({subject for subject in subjects if subject not in self._key_ids})
        if not wanted:
            return
        found = await self._living(wanted)
        missing = [subject for subject in wanted if subject not in found]
        if missing:
            await self._make(missing)
            # Read, not remember: where another process was faster, its key is the key.
            found |= await self._living(missing)
        for subject, (key_id, wrapped) in found.items():
            self._remember(key_id, self._unwrapped(key_id, wrapped), subject)

    async def prepare_new(self, subjects: Iterable[UUID]) -> None:
        """The same where hardly anybody has a key yet, as visits: in one look, not three.

        Who comes while keys are being made is served by the next statement, together with all
        others who came meanwhile: single calls cost no commit each.
        """
        own = {subject for subject in subjects if subject not in self._key_ids}
        if not own:
            return
        self._to_make |= own
        async with self._making:
            # The own ones again: whoever took them along may have failed.
            wanted = sorted(s for s in self._to_make | own if s not in self._key_ids)
            self._to_make.clear()
            if not wanted:
                return
            made = await self._make(wanted)
            for subject, (key_id, key) in made.items():
                self._remember(key_id, AESGCM(key), subject)
            await self.prepare([subject for subject in wanted if subject not in made])

    def release(self, subjects: Iterable[UUID]) -> None:
        """Drops keys that are hardly needed again from memory; they live on in the database."""
        for subject in subjects:
            key_id = self._key_ids.get(subject)
            if key_id is not None:
                self._forget(key_id)

    def salt(self) -> bytes:
        """Random bytes for a digest that must not be found by trying."""
        return secrets.token_bytes(_SALT_BYTES)

    async def seal(self, subject: UUID, aad: bytes, plaintext: bytes) -> tuple[UUID, bytes]:
        """The plaintext under the person's key, bound to `aad`; with the key's id."""
        key_id = await self.key_id(subject)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        key = self._keys.get(key_id) or await self._fetch_key(key_id)
        if key is None:  # destroyed between the two looks: the next one makes a new key
            self._forget(key_id)
            return await self.seal(subject, aad, plaintext)
        return key_id, _AES_256_GCM + nonce + key.encrypt(nonce, plaintext, _bound(aad, key_id))

    async def open_sealed(self, key_id: UUID, aad: bytes, sealed: bytes) -> bytes | None:
        """What was sealed, or None where the key was destroyed.

        Raises `InvalidTag` where the bytes or their place were changed, KeyError for a key
        that never was.
        """
        await self._forget_destroyed()
        key = self._keys.get(key_id)
        if key is None:
            key = await self._fetch_key(key_id)
            if key is None:
                return None
        else:
            self._keys.move_to_end(key_id)
        if sealed[:1] != _AES_256_GCM:
            raise InvalidTag
        nonce, text = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        return key.decrypt(nonce, text, _bound(aad, key_id))

    async def fetch(self, key_ids: Iterable[UUID]) -> None:
        """Learns the living ones of these keys in one look: before many events are opened."""
        wanted = list({key_id for key_id in key_ids if key_id not in self._keys})
        if not wanted:
            return
        rows = await self._ask(
            lambda connection: connection.fetch(
                "select key_id, subject, wrapped from subject_keys"
                " where key_id = any($1::uuid[]) and wrapped is not null",
                wanted,
            )
        )
        for row in rows:
            key_id = row["key_id"]
            self._remember(key_id, self._unwrapped(key_id, row["wrapped"]), row["subject"])

    async def destroy(self, subject: UUID) -> bool:
        """Destroys the person's key for ever; False where there was none."""
        key_ids = await self._ask(
            lambda connection: connection.fetch(
                "update subject_keys set wrapped = null, destroyed_at = now()"
                " where subject = $1 and destroyed_at is null returning key_id",
                subject,
            )
        )
        for row in key_ids:
            self._forget(row["key_id"])
        return bool(key_ids)

    async def destroy_all(self, subjects: Iterable[UUID]) -> int:
        """Destroys the keys of many subjects for ever, all or none; how many there were."""
        # One order for all processes, as in `prepare`.
        wanted = sorted(set(subjects))
        rows = await self._ask(
            lambda connection: connection.fetch(
                "update subject_keys set wrapped = null, destroyed_at = now()"
                " where subject = any($1::uuid[]) and destroyed_at is null returning key_id",
                wanted,
            )
        )
        for row in rows:
            self._forget(row["key_id"])
        return len(rows)

    async def close(self) -> None:
        await self._pool.close()

    async def _prepare(self) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            # Several services start at once on a new database.
            await connection.execute("select pg_advisory_xact_lock($1)", _SCHEMA_LOCK)
            await connection.execute(_TABLES)
            kept = await connection.fetchval("select fingerprint from master_key")
            if kept is None:
                await connection.execute(
                    "insert into master_key (fingerprint) values ($1)", self._fingerprint
                )
            elif not hmac.compare_digest(kept, self._fingerprint):
                raise MasterKeyError(
                    "the master key is not the one this key database was made with"
                )

    def _keyed(self, purpose: bytes, text: str) -> bytes:
        return hmac.digest(self._lookup, purpose + b"\0" + text.encode(), "sha256")

    async def _living(self, subjects: list[UUID]) -> dict[UUID, tuple[UUID, bytes]]:
        rows = await self._ask(
            lambda connection: connection.fetch(
                "select subject, key_id, wrapped from subject_keys"
                " where subject = any($1::uuid[]) and destroyed_at is null",
                subjects,
            )
        )
        return {row["subject"]: (row["key_id"], row["wrapped"]) for row in rows}

    async def _make(self, subjects: list[UUID]) -> dict[UUID, tuple[UUID, bytes]]:
        """Makes keys; those that another process did not make first, with their ids."""
        key_ids = [new_id() for _ in subjects]
        keys = [secrets.token_bytes(_KEY_BYTES) for _ in subjects]
        wrapped = [self._wrapped(*pair) for pair in zip(key_ids, keys, strict=True)]
        rows = await self._ask(
            lambda connection: connection.fetch(
                "insert into subject_keys (subject, key_id, wrapped)"
                " select * from unnest($1::uuid[], $2::uuid[], $3::bytea[])"
                " on conflict (subject) where destroyed_at is null do nothing returning key_id",
                subjects,
                key_ids,
                wrapped,
            )
        )
        ours = {row["key_id"] for row in rows}
        return {
            subject: (key_id, key)
            for subject, key_id, key in zip(subjects, key_ids, keys, strict=True)
            if key_id in ours
        }

    async def _fetch_key(self, key_id: UUID) -> AESGCM | None:
        row = await self._ask(
            lambda connection: connection.fetchrow(
                "select subject, wrapped from subject_keys where key_id = $1", key_id
            )
        )
        if row is None:
            raise KeyError(f"there never was a key {key_id}")
        if row["wrapped"] is None:
            return None
        key = self._unwrapped(key_id, row["wrapped"])
        self._remember(key_id, key, row["subject"])
        return key

    def _wrapped(self, key_id: UUID, key: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._wrapping.encrypt(nonce, key, key_id.bytes)

    def _unwrapped(self, key_id: UUID, wrapped: bytes) -> AESGCM:
        nonce, text = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        return AESGCM(self._wrapping.decrypt(nonce, text, key_id.bytes))

    def _remember(self, key_id: UUID, key: AESGCM, subject: UUID) -> None:
        self._keys[key_id] = key
        self._key_ids[subject] = key_id
        self._subjects[key_id] = subject
        while len(self._keys) > CACHED_KEYS:
            self._forget(next(iter(self._keys)))

    def _forget(self, key_id: UUID) -> None:
        self._keys.pop(key_id, None)
        subject = self._subjects.pop(key_id, None)
        if subject is not None and self._key_ids.get(subject) == key_id:
            del self._key_ids[subject]

    async def _forget_destroyed(self) -> None:
        """Drops keys that other processes destroyed; asks at most every `FORGET_SECONDS`."""
        now = self._clock.monotonic()
        if now - self._looked_at < FORGET_SECONDS:
            return
        since, self._looked_at = now - self._looked_at, now
        try:
            rows = await self._ask(
                lambda connection: connection.fetch(
                    "select key_id from subject_keys"
                    " where destroyed_at > now() - make_interval(secs => $1)",
                    # `now()` is when a transaction began: a minute covers those under way.
                    since + 60.0,
                )
            )
        except BaseException:
            self._looked_at = now - since
            raise
        for row in rows:
            self._forget(row["key_id"])

    async def _ask(self, question: "Callable[[PoolConnectionProxy], Awaitable[T]]") -> T:
        """Asks the database, again where the connection was lost. Must be safe to repeat."""
        patience = Patience()
        while True:
            try:
                async with self._pool.acquire() as connection:
                    return await question(connection)
            except Exception as error:
                if not is_lost(error) or self._pool.is_closing() or not await patience.wait():
                    raise


def read_master_key(path: Path, *, create: bool = False) -> bytes:
    """The master key, 32 bytes; refuses (MasterKeyError) a file that others may read."""
    if create and not path.exists():
        _create_master_key(path)
    try:
        mode = path.stat().st_mode
        key = base64.b64decode(path.read_text(encoding="ascii"), validate=False)
    except FileNotFoundError:
        raise MasterKeyError(f"there is no master key at {path}") from None
    except ValueError as error:
        raise MasterKeyError(f"{path} holds no master key") from error
    if mode & 0o007:
        raise MasterKeyError(f"{path} is open to everybody: chmod 600")
    if len(key) != _KEY_BYTES:
        raise MasterKeyError(f"{path} holds {len(key)} bytes where a master key has {_KEY_BYTES}")
    return key


def _create_master_key(path: Path) -> None:
    """Writes a new master key; where several processes do, the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        Path(draft).unlink(missing_ok=True)


def _derived(master: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=purpose).derive(master)


def _bound(aad: bytes, key_id: UUID) -> bytes:
    return aad + b"|" + str(key_id).encode()
