-- What came of the folds of trials that are cross-validated; no rows for others. The values are null until the fold
-- has spent its budget, the weights until it has handed some in.
create table fold (
    trial_id integer not null references trial on delete cascade,
    fold     integer not null,
    -- The fold's best step and the values there: by the first objective, and (JSON) by the others.
    step     integer,
    value    real,
    further  text,
    weights  text,
    primary key (trial_id, fold)
) strict, without rowid;

create index fold_by_weights on fold (weights) where weights is not null;
