-- Trials that predict together, each ensemble under a name of its sweep; its members (they may be of other sweeps too)
-- as JSON.
create table ensemble (
    sweep_id   integer not null references sweep on delete cascade,
    name       text    not null,
    members    text    not null,
    rmse       real    not null,
    rows       integer not null,
    created_ms integer not null,
    primary key (sweep_id, name)
) strict, without rowid;
