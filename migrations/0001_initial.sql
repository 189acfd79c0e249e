-- The first schema. An applied migration never changes: the next one goes into a file of its own.
-- Ids are never used twice, even after a deletion: an old worker's writes must not hit a new row.
-- Times are milliseconds since the Unix epoch. JSON columns hold what `domain` serialises.

create table counter (
    -- 'seq': how many inputs the scheduler has handled.
    name  text primary key,
    value integer not null
) strict, without rowid;

insert into counter (name, value) values ('seq', 0);

create table sweep (
    sweep_id     integer primary key autoincrement,
    -- What people and URLs say; the integer stays inside.
    uid          text    not null unique,
    name         text    not null,
    priority     integer not null,
    state        text    not null check (state in ('active', 'paused', 'completed', 'cancelled')),
    -- The sweep with every default filled in, as JSON.
    spec         text    not null,
    -- The file as it was submitted.
    source       text    not null,
    git_commit   text,
    dataset_hash text,
    -- What predicting the training rows' mean scores on the validation rows.
    baseline     real,
    created_ms   integer not null,
    finished_ms  integer
) strict;

create index sweep_by_name on sweep (name, sweep_id);

create table trial (
    trial_id        integer primary key autoincrement,
    sweep_id        integer not null references sweep on delete cascade,
    number          integer not null,
    state           text    not null check (state in
                        ('queued', 'running', 'paused', 'stopping', 'completed', 'stopped', 'failed', 'cancelled')),
    -- Every parameter that exists in this trial, by name, as JSON.
    params          text    not null,
    -- Why it was suggested, and why it ended, as JSON.
    suggested       text    not null,
    ended           text,
    parameter_count integer,
    -- The whole budget in steps, where it is known.
    budget_steps    integer,
    steps           integer not null default 0,
    best_step       integer,
    best_value      real,
    -- BLAKE3 of the best weights, a blob.
    weights         text,
    -- A waiting trial is not handed out before this time.
    ready_ms        integer,
    -- It needs its device for itself: it ran out of memory beside others.
    alone           integer not null default 0 check (alone in (0, 1)),
    created_ms      integer not null,
    started_ms      integer,
    finished_ms     integer
) strict;

create unique index trial_by_number on trial (sweep_id, number);
create index trial_open on trial (sweep_id, number) where state in ('queued', 'running', 'paused', 'stopping');
create index trial_by_state on trial (sweep_id, state);
create index trial_by_value on trial (sweep_id, best_value);

-- How many trials of a sweep are in each state, so that nobody counts a million rows to know it. The triggers
-- keep it right whoever writes.
create table trial_count (
    sweep_id integer not null references sweep on delete cascade,
    state    text    not null,
    trials   integer not null check (trials >= 0),
    primary key (sweep_id, state)
) strict, without rowid;

create trigger trial_added after insert on trial begin
    insert into trial_count (sweep_id, state, trials) values (new.sweep_id, new.state, 1)
        on conflict do update set trials = trials + 1;
end;

create trigger trial_moved after update of state on trial when old.state <> new.state begin
    update trial_count set trials = trials - 1 where sweep_id = old.sweep_id and state = old.state;
    insert into trial_count (sweep_id, state, trials) values (new.sweep_id, new.state, 1)
        on conflict do update set trials = trials + 1;
end;

create trigger trial_deleted after delete on trial begin
    update trial_count set trials = trials - 1 where sweep_id = old.sweep_id and state = old.state;
end;

-- Parameters by name, choices by value, so that a filter on one can use an index. One parameter of all trials
-- lies together: a condition reads the parameters that it names and no others.
create table trial_param (
    sweep_id integer not null references sweep on delete cascade,
    name     text    not null,
    trial_id integer not null,
    value    any     not null,
    primary key (sweep_id, name, trial_id)
) strict, without rowid;

create index trial_param_by_value on trial_param (sweep_id, name, value);

-- One row per objective of a trial that ended with a value.
create table trial_value (
    trial_id  integer not null references trial on delete cascade,
    objective integer not null,
    sweep_id  integer not null,
    step      integer not null,
    value     real    not null,
    -- Only completed trials are ranked.
    ranked    integer not null check (ranked in (0, 1)),
    primary key (trial_id, objective)
) strict, without rowid;

create index trial_value_rank on trial_value (sweep_id, objective, value) where ranked = 1;

-- The unit of work that is handed out, numbered within its sweep in the order of the decisions.
create table leg (
    leg_id      integer primary key autoincrement,
    sweep_id    integer not null references sweep on delete cascade,
    number      integer not null,
    -- Null where there was nothing to do under this number.
    trial_id    integer references trial on delete cascade,
    fold        integer not null,
    from_step   integer not null,
    until_step  integer,
    -- The inputs that led to the decision and to the end.
    decided_seq integer not null,
    ended_seq   integer,
    outcome     text check (outcome in ('paused', 'completed', 'stopped', 'failed', 'cancelled')),
    -- The trial's best value at the end.
    value       real,
    unique (sweep_id, number)
) strict;

create index leg_by_trial on leg (trial_id);
create index leg_open on leg (sweep_id, number) where outcome is null;

-- States of trials from which their training can go on; the bytes are blobs.
create table checkpoint (
    trial_id   integer not null references trial on delete cascade,
    fold       integer not null,
    step       integer not null,
    attempt_id integer not null,
    hash       text    not null,
    bytes      integer not null,
    at_ms      integer not null,
    primary key (trial_id, fold, step)
) strict, without rowid;

create index checkpoint_by_hash on checkpoint (hash);
create index trial_by_weights on trial (weights) where weights is not null;

create table attempt (
    attempt_id  integer primary key autoincrement,
    leg_id      integer not null references leg on delete cascade,
    trial_id    integer not null references trial on delete cascade,
    worker      text    not null,
    slot        text    not null,
    request_id  text    not null,
    environment text    not null,
    -- Milliseconds of silence after which it is lost; null when it waits for ever.
    lease_ms    integer,
    state       text    not null check (state in ('open', 'completed', 'failed', 'stopped', 'paused', 'lost')),
    reason      text,
    -- The call that ended it, as JSON: the same call again gets the same answer.
    tell        text,
    started_ms  integer not null,
    finished_ms integer
) strict;

create index attempt_by_trial on attempt (trial_id);
create index attempt_by_leg on attempt (leg_id);
create index attempt_open on attempt (attempt_id) where state = 'open';
create index attempt_by_request on attempt (request_id);

-- One row per (trial, fold, step): columns for the usual metrics, JSON for any other.
create table report (
    trial_id          integer not null references trial on delete cascade,
    fold              integer not null,
    step              integer not null,
    attempt_id        integer not null,
    seq               integer not null,
    at_ms             integer not null,
    rmse              real,
    train_loss        real,
    train_rmse        real,
    learning_rate     real,
    seconds           real,
    images_per_second real,
    extra             text,
    primary key (trial_id, fold, step)
) strict, without rowid;

-- Append-only: every suggestion, start, stop, retry and end, with its reason.
create table event (
    event_id   integer primary key,
    -- The input that led to it.
    seq        integer not null,
    at_ms      integer not null,
    sweep_id   integer not null references sweep on delete cascade,
    trial_id   integer,
    attempt_id integer,
    kind       text    not null,
    reason     text
) strict;

create index event_by_sweep on event (sweep_id, event_id);
create index event_by_trial on event (trial_id, event_id) where trial_id is not null;

-- The local worker processes that may be alive, so that a new daemon finds those of an old one.
create table worker (
    name        text    primary key,
    slot        text    not null,
    pid         integer not null,
    -- Start time of the process in clock ticks since boot: a pid alone may have been reused.
    pid_started integer not null,
    log         text    not null,
    started_ms  integer not null
) strict, without rowid;
