-- What a sweep goes back to when what was retried in it has ended; null where it is not open for a retry alone.
alter table sweep add column returns_to text check (returns_to in ('completed', 'cancelled'));
