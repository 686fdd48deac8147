-- The first schema. Rules that the database itself keeps are written here as constraints; the
-- pictures of the state machines in ARCHITECTURE.md show the same ones.

create table reseller (
  no int generated always as identity primary key,
  id text collate "C" not null unique check (id ~ '^[A-Za-z0-9._-]{1,64}$'),
  name text not null check (name <> ''),
  state text not null default 'active' check (state in ('active', 'blocked', 'closed')),
  -- Null: the installation's setting decides.
  kdp_release text check (kdp_release in ('23.11', '23.12', '25.11')),
  status_shape text check (status_shape in ('documented', 'list')),
  created_at timestamptz not null
);

-- One row a reseller: who holds it, works for that reseller. It stands apart from `reseller`,
-- which accepting a request references and must never wait for.
create table turn (
  reseller int primary key references reseller,
  next_device_seq bigint not null default 0,
  -- How many transactions are finished.
  finished int not null default 0,
  served bigint not null default 0
) with (fillfactor = 50);

create sequence turn_served;

create table customer (
  no int generated always as identity primary key,
  id text collate "C" not null unique check (id ~ '^[A-Za-z0-9._-]{1,64}$'),
  name text not null check (name <> ''),
  state text not null default 'active' check (state in ('active', 'closed')),
  created_at timestamptz not null
);

create table vendor (
  reseller int not null references reseller,
  id text collate "C" not null check (id ~ '^[A-Za-z0-9._-]{1,64}$'),
  name text not null check (name <> ''),
  created_at timestamptz not null,
  primary key (reseller, id)
);

create table association (
  no int generated always as identity unique,
  reseller int not null references reseller,
  customer int not null references customer,
  auto_approve boolean not null default false,
  -- How many transactions are finished; written in the reseller's turn.
  finished int not null default 0,
  created_at timestamptz not null,
  primary key (reseller, customer)
);

create table profile_alias (
  no int generated always as identity unique,
  reseller int not null,
  customer int not null,
  alias text collate "C" not null check (alias <> ''),
  profile_id text not null,
  created_at timestamptz not null,
  primary key (reseller, customer, alias),
  foreign key (reseller, customer) references association
);

create table oauth_client (
  id text collate "C" primary key,
  -- Null: the operator's own client, which may name any reseller.
  reseller int references reseller,
  name text not null,
  secret_sha256 bytea not null check (length(secret_sha256) = 32),
  scopes text[] not null check (cardinality(scopes) > 0),
  created_at timestamptz not null,
  deleted_at timestamptz
);

create table access_token (
  sha256 bytea primary key check (length(sha256) = 32),
  client text not null references oauth_client,
  scopes text[] not null,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz
);
create index access_token_expiry on access_token (expires_at);

create table transaction (
  -- The order of acceptance: never a clock.
  seq bigint generated always as identity primary key,
  reseller int not null references reseller,
  id text collate "C" not null,
  upload_id uuid not null default gen_random_uuid(),
  operation text not null check (operation in ('UPLOAD', 'DELETE')),
  customer int not null references customer,
  vendor text collate "C",
  -- Null: a delete without `type`, or one that names an upload.
  type text check (type in ('IMEI', 'MEID', 'SN')),
  removes bigint references transaction,
  order_no text,
  order_time bigint,
  profile_aliases text[] not null default '{}',
  target_service text,
  performed_by text not null,
  -- The request's identifiers as sent, packed (transactions/rules.py) in chunks that begin at the
  -- bytes named by `chunk_starts`; its last member is the length.
  identifiers bytea not null,
  chunk_starts int[] not null,
  device_count int not null check (device_count >= 0),
  -- Progress: how many chunks are done, and what became of their devices.
  chunk int not null default 0,
  ok int not null default 0,
  failed int not null default 0,
  skipped int not null default 0,
  -- One byte a device, aligned with the request; null while every device succeeded.
  outcomes bytea,
  -- The failures alone, for the status call: JSON members `[position,outcome,"as sent"],`.
  failures bytea,
  state text not null default 'Progress' check (state in ('Progress', 'Complete')),
  accepted_at timestamptz not null,
  completed_at timestamptz,
  -- The first and last device.seq that an upload gave: what `removeTransactionId` looks through.
  first_device_seq bigint,
  last_device_seq bigint,
  -- Which of the reseller's finished transactions it is, and which of them for this customer, from
  -- 1: any page of them is found without counting rows.
  number int,
  customer_number int,
  unique (reseller, id),
  unique (reseller, number),
  unique (reseller, customer, customer_number),
  check ((state = 'Complete') = (number is not null)),
  check ((number is null) = (customer_number is null)),
  check ((state = 'Complete') = (completed_at is not null)),
  check (ok + failed + skipped <= device_count),
  check (state = 'Progress' or ok + failed + skipped = device_count),
  check (outcomes is null or length(outcomes) = ok + failed + skipped),
  check ((removes is null) or (operation = 'DELETE'))
);
-- Never compressed: a chunk is then read by its bytes, and digits hardly compress anyway.
alter table transaction alter column identifiers set storage external;
alter table transaction alter column outcomes set storage external;
alter table transaction alter column failures set storage external;
create index transaction_waiting on transaction (reseller, seq) where state = 'Progress';
create index transaction_by_customer on transaction (customer, reseller);

-- One row per ownership period. No foreign keys here: bulk inserts would pay for each row, and
-- `waybill verify` proves what they would have kept.
create table device (
  reseller int not null,
  -- Rising per reseller, given inside its turn.
  seq bigint not null,
  customer int not null,
  upload bigint not null,
  -- What closed the period; null while the reseller holds the device.
  removed_by bigint,
  registered_at timestamptz not null,
  -- Null: Pending, the customer has not approved.
  verified_at timestamptz,
  kind smallint not null check (kind between 1 and 3),
  key text collate "C" not null,
  -- The canonical form where it does not follow from kind and key.
  odd text,
  primary key (reseller, seq),
  -- At most one holder at a time; and the history, since each delete closes a key once.
  constraint device_holder unique nulls not distinct (key, removed_by)
);
create index device_by_customer on device (customer, reseller, seq) where removed_by is null;

-- How many devices live in each run of 10,000 device.seq, for all customers (customer = 0) and
-- for each: any page is found without counting rows. One row is written by one reseller's turn.
create table device_block (
  reseller int not null,
  customer int not null,
  block bigint not null,
  live int not null check (live >= 0),
  primary key (reseller, customer, block)
) with (fillfactor = 70);

create table activity (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  reseller int references reseller,
  customer int references customer,
  event text not null,
  performed_by text not null,
  -- Null: the transaction's own state tells.
  status text check (status in ('OK', 'Error')),
  transaction bigint unique references transaction,
  transaction_id text,
  error_id text collate "C" unique,
  code int,
  detail jsonb not null default '{}',
  check ((status is null) = (transaction is not null))
);
create index activity_by_reseller on activity (reseller, id);

-- Refused calls per reseller and minute: the first ones are activity entries, the rest a count.
create table refusal_minute (
  reseller int not null references reseller,
  minute timestamptz not null,
  seen int not null,
  primary key (reseller, minute)
);
