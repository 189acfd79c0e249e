-- Sweeps have tags too (a JSON list; null for none), and what is tagged is found without a look at everything else:
-- most trials have no tag, so the index holds few.
alter table sweep add column tags text;
create index trial_tagged on trial (sweep_id, trial_id, tags) where tags is not null;
