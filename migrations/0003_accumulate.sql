-- Into how many parts each batch of a trial is split, its gradients summed: more than 1 where the whole did not fit
-- its device's memory.
alter table trial add column accumulate integer not null default 1 check (accumulate between 1 and 8);
