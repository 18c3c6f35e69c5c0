"""The keys of people: one each, the same for all, and gone for all when destroyed."""

import asyncio
import base64
import secrets
import stat
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from cryptography.exceptions import InvalidTag

from kernel.eventstore import keys as module
from kernel.eventstore.keys import KeyRing, MasterKeyError, read_master_key
from kernel.ids import derive, new_id

LI_NA = derive("test", "person", "Li Na")
WANG = derive("test", "person", "Wang")
PLACE = b"stream|1|type"


@pytest.fixture
def master_key(tmp_path: Path) -> Path:
    path = tmp_path / "master.key"
    read_master_key(path, create=True)
    return path


@pytest.fixture
async def ring(database_url: str, master_key: Path) -> AsyncIterator[KeyRing]:
    ring = await KeyRing.open(database_url, master_key)
    yield ring
    await ring.close()


@pytest.fixture
async def other(database_url: str, master_key: Path) -> AsyncIterator[KeyRing]:
    """A second process."""
    ring = await KeyRing.open(database_url, master_key)
    yield ring
    await ring.close()


async def test_what_is_sealed_opens_in_every_process(ring: KeyRing, other: KeyRing) -> None:
    key_id, sealed = await ring.seal(LI_NA, PLACE, b"name")

    assert b"name" not in sealed
    assert await ring.open_sealed(key_id, PLACE, sealed) == b"name"
    assert await other.open_sealed(key_id, PLACE, sealed) == b"name"


async def test_nothing_is_sealed_alike_twice(ring: KeyRing) -> None:
    assert await ring.seal(LI_NA, PLACE, b"name") != await ring.seal(LI_NA, PLACE, b"name")


async def test_people_have_different_keys(ring: KeyRing) -> None:
    key_id, sealed = await ring.seal(LI_NA, PLACE, b"name")
    others = await ring.key_id(WANG)

    assert key_id != others
    with pytest.raises(InvalidTag):
        await ring.open_sealed(others, PLACE, sealed)


async def test_a_changed_seal_or_place_does_not_open(ring: KeyRing) -> None:
    key_id, sealed = await ring.seal(LI_NA, PLACE, b"name")

    for changed in (sealed[:-1] + bytes([sealed[-1] ^ 1]), b"\x02" + sealed[1:], b""):
        with pytest.raises(InvalidTag):
            await ring.open_sealed(key_id, PLACE, changed)
    with pytest.raises(InvalidTag):
        await ring.open_sealed(key_id, b"elsewhere", sealed)


async def test_processes_that_make_a_key_at_once_agree(ring: KeyRing, other: KeyRing) -> None:
    people = [new_id() for _ in range(40)]
    made = await asyncio.gather(
        *(keys.key_id(person) for person in people for keys in (ring, other))
    )

    assert made[0::2] == made[1::2]
    assert len(set(made)) == len(people)


async def test_keys_for_an_import_are_made_at_once_and_agree(ring: KeyRing, other: KeyRing) -> None:
    people = [new_id() for _ in range(500)]
    await asyncio.gather(ring.prepare(people), other.prepare(reversed(people)))

    for person in people:
        assert await ring.key_id(person) == await other.key_id(person)


async def test_a_destroyed_key_opens_nothing_ever_again(ring: KeyRing, master_key: Path) -> None:
    key_id, sealed = await ring.seal(LI_NA, PLACE, b"name")

    assert await ring.destroy(LI_NA)
    assert await ring.open_sealed(key_id, PLACE, sealed) is None
    assert not await ring.destroy(LI_NA)


async def test_the_destroyed_key_itself_is_gone(ring: KeyRing, database_url: str) -> None:
    key_id, _ = await ring.seal(LI_NA, PLACE, b"name")
    await ring.destroy(LI_NA)

    connection = await asyncpg.connect(database_url)
    row = await connection.fetchrow("select * from subject_keys where key_id = $1", key_id)
    await connection.close()
    assert row is not None
    assert row["wrapped"] is None
    assert row["destroyed_at"] is not None


async def test_other_processes_forget_a_destroyed_key(
    ring: KeyRing, other: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_id, sealed = await ring.seal(LI_NA, PLACE, b"name")
    assert await other.open_sealed(key_id, PLACE, sealed) == b"name"
    await ring.destroy(LI_NA)

    monkeypatch.setattr(module, "FORGET_SECONDS", 0.0)
    assert await other.open_sealed(key_id, PLACE, sealed) is None
    assert await other.key_id(LI_NA) != key_id


async def test_a_person_who_comes_back_after_erasure_gets_a_new_key(ring: KeyRing) -> None:
    before, sealed = await ring.seal(LI_NA, PLACE, b"name")
    await ring.destroy(LI_NA)
    after, again = await ring.seal(LI_NA, PLACE, b"new name")

    assert before != after
    assert await ring.open_sealed(after, PLACE, again) == b"new name"
    assert await ring.open_sealed(before, PLACE, sealed) is None


async def test_a_key_that_never_was_is_an_error_and_no_erasure(ring: KeyRing) -> None:
    with pytest.raises(KeyError, match="never was"):
        await ring.open_sealed(new_id(), PLACE, b"")


async def test_the_ring_outlives_lost_connections(ring: KeyRing, database_url: str) -> None:
    key_id, sealed = await ring.seal(LI_NA, PLACE, b"name")
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    await connection.close()

    assert await ring.key_id(WANG) != key_id
    assert await ring.open_sealed(key_id, PLACE, sealed) == b"name"


async def test_the_same_identity_is_always_the_same_person(ring: KeyRing, other: KeyRing) -> None:
    person = ring.person_id("resident", "11010519491231002X")

    assert other.person_id("resident", " 11010519491231002x ") == person
    assert ring.person_id("passport", "11010519491231002X") != person
    assert ring.person_id("resident", "110105194912310038") != person
    assert person.version == 8


async def test_without_the_master_key_an_identity_leads_nowhere(
    ring: KeyRing, postgres_free_ring: KeyRing
) -> None:
    number = "11010519491231002X"

    assert ring.person_id("resident", number) != postgres_free_ring.person_id("resident", number)
    assert ring.lookup_hash("phone", "1") != postgres_free_ring.lookup_hash("phone", "1")


@pytest.fixture
async def postgres_free_ring(ring: KeyRing) -> KeyRing:
    """A ring of another deployment; its derivations need no database."""
    return KeyRing(ring._pool, secrets.token_bytes(32))


async def test_lookup_hashes_are_apart_by_purpose(ring: KeyRing) -> None:
    assert ring.lookup_hash("phone", "1") == ring.lookup_hash("phone", "1")
    assert ring.lookup_hash("phone", "1") != ring.lookup_hash("name", "1")


async def test_another_master_key_is_refused(
    ring: KeyRing, database_url: str, tmp_path: Path
) -> None:
    with pytest.raises(MasterKeyError, match="not the one"):
        await KeyRing.open(database_url, tmp_path / "another.key", create=True)


def test_a_master_key_is_made_only_when_asked_for_and_only_once(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"
    with pytest.raises(MasterKeyError, match="no master key"):
        read_master_key(path)

    made = read_master_key(path, create=True)
    assert read_master_key(path, create=True) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path] == list(path.parent.iterdir())


def test_a_master_key_that_everybody_can_read_is_refused(master_key: Path) -> None:
    master_key.chmod(0o644)
    with pytest.raises(MasterKeyError, match="chmod 600"):
        read_master_key(master_key)


def test_a_file_that_holds_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.touch(mode=0o600)
    for content in ("", "no key", base64.b64encode(b"short").decode(), "密钥"):
        path.write_text(content)
        with pytest.raises(MasterKeyError):
            read_master_key(path)


async def test_a_days_draws_have_one_seed_in_every_process(ring: KeyRing, other: KeyRing) -> None:
    monday, tuesday = date(2024, 1, 1), date(2024, 1, 2)

    seed = ring.draw_seed("assessors", "320400", monday)

    assert other.draw_seed("assessors", "320400", monday) == seed
    assert len({seed, ring.draw_seed("assessors", "320400", tuesday)}) == 2
    assert len({seed, ring.draw_seed("inspections", "320400", monday)}) == 2


async def test_keys_of_new_subjects_are_made_in_one_look_and_agree_with_those_there(
    ring: KeyRing, other: KeyRing
) -> None:
    subjects = [derive("test", "visit", str(n)) for n in range(20)]
    await other.prepare(subjects[:5])
    await asyncio.gather(ring.prepare_new(subjects), other.prepare_new(subjects))

    for subject in subjects:
        key_id, sealed = await ring.seal(subject, PLACE, b"where")
        assert key_id == await other.key_id(subject)
        assert await other.open_sealed(key_id, PLACE, sealed) == b"where"


async def test_single_calls_for_new_keys_share_their_statements(
    ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects = [derive("test", "visit", str(n)) for n in range(50)]
    make, sizes = ring._make, list[int]()

    async def noted(wanted: list[UUID]) -> dict[UUID, tuple[UUID, bytes]]:
        sizes.append(len(wanted))
        return await make(wanted)

    monkeypatch.setattr(ring, "_make", noted)
    await asyncio.gather(*(ring.prepare_new([subject]) for subject in subjects))

    assert sizes == [1, 49]  # all others came while the first was under way
    assert len({await ring.key_id(subject) for subject in subjects}) == 50


async def test_who_was_taken_along_by_a_call_that_failed_gets_a_key_all_the_same(
    ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, asked = ring._make, list[list[UUID]]()

    async def failing(wanted: list[UUID]) -> dict[UUID, tuple[UUID, bytes]]:
        asked.append(wanted)
        if len(asked) == 2:
            raise ConnectionError
        return await make(wanted)

    monkeypatch.setattr(ring, "_make", failing)
    outcomes = await asyncio.gather(
        *(ring.prepare_new([one]) for one in (derive("first"), LI_NA, WANG)),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes] == [type(None), ConnectionError, type(None)]
    assert (set(asked[1]), asked[2]) == ({LI_NA, WANG}, [WANG])
    assert (await ring.seal(WANG, PLACE, b"name"))[0] == await ring.key_id(WANG)


async def test_a_key_that_was_released_is_only_out_of_memory(ring: KeyRing) -> None:
    key_id, sealed = await ring.seal(LI_NA, PLACE, b"name")
    ring.release([LI_NA, WANG])

    assert await ring.open_sealed(key_id, PLACE, sealed) == b"name"
    assert await ring.key_id(LI_NA) == key_id


async def test_many_keys_are_destroyed_at_once_and_twice_changes_nothing(
    ring: KeyRing, master_key: Path, database_url: str
) -> None:
    subjects = [derive("test", "visit", str(n)) for n in range(20)]
    sealed = [await ring.seal(subject, PLACE, b"where") for subject in subjects]

    assert await ring.destroy_all([*subjects[:15], WANG]) == 15
    assert await ring.destroy_all(subjects[:15]) == 0
    fresh = await KeyRing.open(database_url, master_key)
    try:
        for keys in (ring, fresh):
            opened = [await keys.open_sealed(key_id, PLACE, text) for key_id, text in sealed]
            assert opened == [None] * 15 + [b"where"] * 5
    finally:
        await fresh.close()


def test_salts_are_never_the_same(tmp_path: Path) -> None:
    ring = KeyRing(None, read_master_key(tmp_path / "key", create=True))  # type: ignore[arg-type]

    assert len({ring.salt() for _ in range(100)}) == 100
