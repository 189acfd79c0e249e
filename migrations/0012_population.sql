-- Population-based training: trials that go on from another one's checkpoint.
-- The number of the trial, in the same sweep, whose checkpoint it goes on from, and the step of that; both or neither.
alter table trial add column parent integer;
alter table trial add column parent_step integer;

-- Checkpoints at which a population is compared, kept for heirs whatever becomes of their trial. The bytes are blobs.
create table heirloom (
    trial_id   integer not null references trial on delete cascade,
    step       integer not null,
    attempt_id integer not null,
    hash       text    not null,
    bytes      integer not null,
    at_ms      integer not null,
    primary key (trial_id, step)
) strict, without rowid;

create index heirloom_by_hash on heirloom (hash);
