-- What a sweep searched before its user changed it: one row per change, numbered from 0. The sweep's own row says
-- what it searches now, so a sweep without rows here has never been changed.
create table space_version (
    sweep_id  integer not null references sweep on delete cascade,
    version   integer not null,
    -- Space, constraints and number of trials, as JSON.
    terms     text    not null,
    -- The file that said so.
    source    text    not null,
    -- The first leg that the terms after these decided, and the input that changed them.
    until_leg integer not null,
    ended_seq integer not null,
    ended_ms  integer not null,
    primary key (sweep_id, version)
) strict, without rowid;

-- What a sweep began with of earlier ones, as it was when it was submitted: one row per earlier sweep, in the order in
-- which the sweep names them. Nothing refers to the earlier sweep: it may be gone.
create table warm_start (
    sweep_id    integer not null references sweep on delete cascade,
    place       integer not null,
    source_uid  text    not null,
    source_name text    not null,
    -- How many of its trials had completed, and whether its values mean what the new sweep's mean.
    completed   integer not null,
    comparable  integer not null check (comparable in (0, 1)),
    -- The results that are of the new sweep's space, as JSON, and how many they are.
    results     text    not null,
    taken       integer not null,
    primary key (sweep_id, place)
) strict, without rowid;
