-- What people say of sweeps and trials: a text, and for trials words to find them by (a JSON list). Null where nothing
-- was said.
alter table sweep add column note text;
alter table trial add column note text;
alter table trial add column tags text;
