-- What trials were measured to need. Null where nothing was measured.
-- At most, over all of a trial's steps, in bytes: what its process held of the device's memory through libtorch's
-- allocator, and of the machine's memory.
alter table trial add column device_memory_bytes integer;
alter table trial add column resident_bytes integer;

create index trial_by_device_memory on trial (sweep_id, device_memory_bytes) where device_memory_bytes is not null;
