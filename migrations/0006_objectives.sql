-- What a trial and a leg are worth by the further objectives of a sweep that has several: a JSON list, null in it for
-- what is not known, of the values at the trial's best step by the first one. Null where there is one objective.
alter table trial add column further text;
alter table leg add column further text;
