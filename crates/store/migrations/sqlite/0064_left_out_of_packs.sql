-- The flows of an installed pack that somebody chose not to have, as a JSON array of their names in the pack; null where an earlier
-- version of the program did not write it down.
ALTER TABLE installed_packs ADD COLUMN left_out TEXT;
