-- Who worked when, on which slot, for the timeline: all that it asks of an attempt lies in the index.
create index attempt_by_time on attempt (started_ms, finished_ms, slot, state, trial_id);
