-- Ids of events are never used twice either, also after the sweep with the newest ones has been removed: clients
-- ask for what came after an id. `autoincrement` would have to write the whole table anew.

-- 'event': no event that is gone had a larger id.
insert into counter (name, value) values ('event', 0);

create trigger events_removed before delete on sweep begin
    update counter set value = max(value, (select coalesce(max(event_id), 0) from event)) where name = 'event';
end;
