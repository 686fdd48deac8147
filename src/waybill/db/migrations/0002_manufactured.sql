-- The manufacturing list: phones that exist, and all the identifiers that name each of them.

create table manufactured (
  -- What names the phone in `device`: IMEI 1's body, else the MEID, else the serial number.
  key text collate "C" primary key,
  imei text collate "C",
  imei2 text collate "C",
  meid text collate "C",
  serial text collate "C",
  model text,
  imported_at timestamptz not null,
  check (key = coalesce(left(imei, 14), meid, serial)),
  check (imei is not null or imei2 is null)
);

-- Every other identifier of a listed phone, as `device.key` would spell it. An IMEI 1 names its
-- phone by itself, so that nearly all uploads find nothing here.
create table identifier_link (
  alias text collate "C" primary key,
  key text collate "C" not null
);

-- Null: the installation's setting decides.
alter table reseller add column enforce_manufactured boolean;
