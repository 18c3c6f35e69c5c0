-- One log of events. {schema} is the service's own; everything below is made once, by
-- EventStore.open, under a lock. Only the functions at the end write here.

CREATE SCHEMA IF NOT EXISTS {schema};

-- The one row every append passes: who moves last_position has the log.
CREATE TABLE {schema}.log (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  layout int NOT NULL,                                -- of this file, for later changes
  epoch uuid NOT NULL DEFAULT gen_random_uuid(),      -- new after every restore that lost events
  last_position bigint NOT NULL DEFAULT 0,
  last_recorded_at timestamptz NOT NULL DEFAULT '1900-01-01 00:00:00+00',
  partition_size bigint NOT NULL,
  partition_end bigint NOT NULL DEFAULT 0             -- the first position that has no partition
) WITH (fillfactor = 20);

-- What events are: a number for each (type, category, pool), to keep the rows short.
CREATE TABLE {schema}.kinds (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  type text NOT NULL,
  category text NOT NULL,
  pool text NOT NULL,
  UNIQUE (type, category, pool)
);

-- Partitions by position keep inserting fast: a scattered index is never larger than one of them.
CREATE TABLE {schema}.events (
  position bigint NOT NULL,
  recorded_at timestamptz NOT NULL,
  stream uuid NOT NULL,
  version int NOT NULL,
  kind_id int NOT NULL,
  payload bytea NOT NULL,
  sealed bytea,
  key_id uuid,
  meta bytea NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (position)
) PARTITION BY RANGE (position);
CREATE INDEX events_by_time ON {schema}.events USING brin (recorded_at);

-- Every request obeyed, and what it was told.
CREATE TABLE {schema}.requests (
  request_id uuid PRIMARY KEY,
  fingerprint bytea NOT NULL,
  answer bytea NOT NULL,
  first_position bigint NOT NULL,
  last_position bigint NOT NULL,
  recorded_at timestamptz NOT NULL
);

-- Rule packs that decisions name by hash.
CREATE TABLE {schema}.packs (
  hash text PRIMARY KEY,
  pool text NOT NULL,
  content bytea NOT NULL
);

-- How far readers of the eventsourcing library came (recorder.py).
CREATE TABLE {schema}.tracking (
  application text PRIMARY KEY,
  notification bigint NOT NULL
);

-- What was recorded stays: corrections are new events.
CREATE FUNCTION {schema}.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of %.% is refused: what was recorded stays',
    TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.events
  FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.requests
  FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.kinds
  FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.packs
  FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER keep BEFORE DELETE OR TRUNCATE ON {schema}.log
  FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();

-- Takes the log for this transaction and says where it stands. A statement of its own: one that
-- locks and reads at once would read what was true before it waited.
CREATE FUNCTION {schema}.lock_log() RETURNS {schema}.log LANGUAGE plpgsql AS $$
DECLARE found_log {schema}.log;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('{schema}.log', 0));
  SELECT * INTO STRICT found_log FROM {schema}.log;
  RETURN found_log;
END $$;

-- Makes partitions until position `upto` has one.
CREATE FUNCTION {schema}.extend(upto bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  size bigint;
  edge bigint;
  child text;
BEGIN
  PERFORM {schema}.lock_log();
  SELECT partition_size, partition_end INTO STRICT size, edge FROM {schema}.log;
  WHILE edge <= upto LOOP
    child := format('events_%s', lpad((edge / size)::text, 6, '0'));
    -- Made apart and then attached, which lets readers of the other partitions go on.
    EXECUTE format('CREATE TABLE {schema}.%I (LIKE {schema}.events INCLUDING ALL)', child);
    EXECUTE format('CREATE UNIQUE INDEX ON {schema}.%I (stream, version)', child);
    EXECUTE format('CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.%I '
      'FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change()', child);
    EXECUTE format('ALTER TABLE {schema}.events ATTACH PARTITION {schema}.%I '
      'FOR VALUES FROM (%s) TO (%s)', child, edge, edge + size);
    edge := edge + size;
  END LOOP;
  UPDATE {schema}.log SET partition_end = edge;
  RETURN edge;
END $$;

-- Keeps a batch that was judged against the log as it stood at `expected`; all of it or nothing.
--   kept   it is durable once this transaction is
--   stale  the log has moved on: judge again
--   known  a stream taken for new exists: judge again
-- A request id that was used before fails with a unique violation.
CREATE FUNCTION {schema}.append(
  expected bigint, at timestamptz, new_streams uuid[],
  streams uuid[], versions int[], kind_ids int[], payloads bytea[], sealeds bytea[],
  key_ids uuid[], metas bytea[], hashes bytea[],
  request_ids uuid[], fingerprints bytea[], answers bytea[], firsts bigint[], lasts bigint[]
) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('{schema}.log', 0));
  IF EXISTS (SELECT FROM {schema}.events WHERE stream = ANY (new_streams)) THEN
    RETURN 'known';
  END IF;
  UPDATE {schema}.log
    SET last_position = expected + cardinality(streams), last_recorded_at = at
    WHERE last_position = expected AND last_recorded_at <= at;
  IF NOT FOUND THEN
    RETURN 'stale';
  END IF;
  INSERT INTO {schema}.events
    (position, recorded_at, stream, version, kind_id, payload, sealed, key_id, meta, hash)
    SELECT expected + e.n, at, e.stream, e.version, e.kind_id, e.payload, e.sealed, e.key_id,
      e.meta, e.hash
    FROM unnest(streams, versions, kind_ids, payloads, sealeds, key_ids, metas, hashes)
      WITH ORDINALITY
      AS e (stream, version, kind_id, payload, sealed, key_id, meta, hash, n);
  INSERT INTO {schema}.requests
    (request_id, fingerprint, answer, first_position, last_position, recorded_at)
    SELECT r.request_id, r.fingerprint, r.answer, r.first_position, r.last_position, at
    FROM unnest(request_ids, fingerprints, answers, firsts, lasts)
      AS r (request_id, fingerprint, answer, first_position, last_position);
  RETURN 'kept';
END $$;
