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
