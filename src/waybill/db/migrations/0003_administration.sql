-- What an operator and a customer change: vendors and aliases that end, secrets that overlap,
-- tokens that live longer or shorter, uploads that are approved.

alter table vendor
  add column state text not null default 'active' check (state in ('active', 'closed'));

-- Null: shared. Sharing it again opens it.
alter table profile_alias add column closed_at timestamptz;

alter table oauth_client
  add column token_life_s int not null default 599 check (token_life_s between 1 and 3600),
  -- After a rotation the secret before it works for a while.
  add column old_secret_sha256 bytea check (length(old_secret_sha256) = 32),
  add column old_secret_until timestamptz,
  add check ((old_secret_sha256 is null) = (old_secret_until is null));
create index oauth_client_by_reseller on oauth_client (reseller);

-- When the customer approved the upload: what it registers after that needs no approval.
alter table transaction
  add column approved_at timestamptz,
  add check (approved_at is null or operation = 'UPLOAD');
